//! Random sequences: whatever happens, nothing that was to be said is lost.

use proptest::prelude::*;

use super::sim::Sim;
use crate::outbox::Outcome;

const NAMES: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Op {
    Fire(usize),
    Resolve(usize),
    Hold(usize),
    Release(usize),
    Flush,
    Repeat,
    Take,
    Delivered,
    Retry,
    Permanent,
    /// The process dies; the receiver got what was in flight, or did not.
    Crash(bool),
}

/// What happens where every delivery works and nobody dies.
fn clean() -> impl Strategy<Value = Op> {
    let name = || 0..NAMES.len();
    prop_oneof![
        3 => name().prop_map(Op::Fire),
        3 => name().prop_map(Op::Resolve),
        1 => name().prop_map(Op::Hold),
        1 => name().prop_map(Op::Release),
        5 => Just(Op::Flush),
        4 => Just(Op::Take),
        3 => Just(Op::Delivered),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        12 => clean(),
        3 => Just(Op::Retry),
        1 => Just(Op::Permanent),
        1 => Just(Op::Repeat),
        1 => any::<bool>().prop_map(Op::Crash),
    ]
}

fn run(sim: &mut Sim, op: &Op) {
    match op {
        Op::Fire(n) => drop(sim.fire(NAMES[*n])),
        Op::Resolve(n) => drop(sim.resolve(NAMES[*n])),
        Op::Hold(n) => drop(sim.hold(NAMES[*n])),
        Op::Release(n) => drop(sim.release(NAMES[*n])),
        Op::Flush => sim.flush(),
        Op::Repeat => sim.repeat(),
        Op::Take => sim.take(),
        Op::Delivered => drop(sim.finish(&Outcome::delivered(None))),
        Op::Retry => drop(sim.finish(&Outcome::retry("down"))),
        Op::Permanent => drop(sim.finish(&Outcome::permanent("refused"))),
        Op::Crash(received) => {
            if *received {
                sim.receive_unnoticed();
            }
            sim.crash();
        }
    }
}

/// Lets every delivery work until nothing is left to say.
fn calm(sim: &mut Sim) {
    sim.finish(&Outcome::delivered(None));
    for _ in 0..4 {
        sim.flush();
        while !sim.lane.is_idle() {
            sim.attempt(&Outcome::delivered(None));
        }
    }
}

fn check(sim: &Sim) -> Result<(), TestCaseError> {
    prop_assert!(sim.owed.is_empty(), "decided to be told and lost: {:?}", sim.owed);
    for fp in sim.to_be_known() {
        prop_assert!(sim.view.contains_key(&fp), "{fp} fires and the receiver does not know it");
    }
    // One that was told unnoticed and held back before it was told again counts as never told.
    let noticed = sim.view.keys().filter(|fp| !sim.unnoticed.contains(*fp));
    for fp in noticed.filter(|_| sim.send_resolved) {
        prop_assert!(sim.fires(*fp), "{fp} is over and the receiver does not know it");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nothing_is_lost(
        ops in prop::collection::vec(any_op(), 0..40),
        send_resolved in any::<bool>(),
    ) {
        let mut sim = Sim::new(send_resolved);
        for op in &ops {
            run(&mut sim, op);
        }
        calm(&mut sim);
        check(&sim)?;
    }

    #[test]
    fn a_clean_run_repeats_nothing(
        ops in prop::collection::vec(clean(), 0..40),
        send_resolved in any::<bool>(),
    ) {
        let mut sim = Sim::new(send_resolved);
        for op in &ops {
            run(&mut sim, op);
            prop_assert_eq!(sim.repeats, 0, "after {:?}", op);
        }
        calm(&mut sim);
        prop_assert_eq!(sim.repeats, 0);
        check(&sim)?;
    }
}
