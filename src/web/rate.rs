//! How many requests are answered: for one client, and in all. Time is an argument: what has passed
//! since the start, on a monotonic clock.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// How many clients are told apart. Those beyond share one budget.
const MAX_CLIENTS: usize = 4096;
/// How often a full table is searched for clients that have been quiet.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// A token bucket: one request each interval, and a burst at most at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// After how long one more request may come.
    pub interval: Duration,
    /// How many may come at once; at least 1.
    pub burst: u32,
}

/// One client's budget, as the time at which it is whole again.
type Whole = Duration;

impl Rate {
    /// Takes one from a budget, or says after how long there is one.
    fn take(self, whole: &mut Whole, now: Duration) -> Result<(), Duration> {
        let used = whole.saturating_sub(now);
        let most = self.interval.saturating_mul(self.burst.saturating_sub(1));
        if let Some(wait) = used.checked_sub(most).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        *whole = (*whole).max(now).saturating_add(self.interval);
        Ok(())
    }
}

/// A budget for all.
#[derive(Debug, Default)]
pub struct Budget(Whole);

impl Budget {
    /// Takes one.
    ///
    /// # Errors
    /// After how long there is one.
    pub fn take(&mut self, rate: Rate, now: Duration) -> Result<(), Duration> {
        rate.take(&mut self.0, now)
    }
}

/// A budget for each client, in bounded memory.
#[derive(Debug, Default)]
pub struct ClientBudgets {
    clients: HashMap<IpAddr, Whole>,
    /// Shared by the clients for which there is no place.
    others: Whole,
    swept: Option<Duration>,
}

impl ClientBudgets {
    /// Takes one from a client's budget.
    ///
    /// # Errors
    /// After how long there is one.
    pub fn take(&mut self, rate: Rate, client: IpAddr, now: Duration) -> Result<(), Duration> {
        rate.take(self.budget(client, now), now)
    }

    /// Gives one back.
    pub fn give_back(&mut self, rate: Rate, client: IpAddr, now: Duration) {
        let whole = self.budget(client, now);
        *whole = whole.saturating_sub(rate.interval);
    }

    fn budget(&mut self, client: IpAddr, now: Duration) -> &mut Whole {
        let client = network(client);
        if !self.clients.contains_key(&client) && self.clients.len() >= MAX_CLIENTS {
            self.sweep(now);
            if self.clients.len() >= MAX_CLIENTS {
                return &mut self.others;
            }
        }
        self.clients.entry(client).or_default()
    }

    /// Forgets those whose budget is whole, which is the same as never having come.
    fn sweep(&mut self, now: Duration) {
        if self.swept.is_some_and(|at| now.saturating_sub(at) < SWEEP_EVERY) {
            return;
        }
        self.swept = Some(now);
        self.clients.retain(|_, whole| *whole > now);
    }
}

/// What counts as one client: an address, of IPv6 the network of 64 bits that one customer has.
pub fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { interval: Duration::from_secs(1), burst: 3 };

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn client(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_each_interval() {
        let mut budgets = ClientBudgets::default();
        let mut take = |ms| budgets.take(RATE, client(1), at(ms));
        assert_eq!([take(0), take(0), take(0)], [Ok(()); 3]);
        assert_eq!(take(0), Err(at(1000)));
        assert_eq!(take(400), Err(at(600)));
        assert_eq!(take(1000), Ok(()));
        assert_eq!(take(1000), Err(at(1000)));
        // After a rest the whole burst is there again, and no more.
        assert_eq!([take(60_000), take(60_000), take(60_000)], [Ok(()); 3]);
        assert_eq!(take(60_000), Err(at(1000)));
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let mut budgets = ClientBudgets::default();
        for _ in 0..10 {
            assert_eq!(budgets.take(RATE, client(1), at(0)), Ok(()));
            budgets.give_back(RATE, client(1), at(0));
        }
    }

    #[test]
    fn clients_have_budgets_of_their_own() {
        let mut budgets = ClientBudgets::default();
        let one = Rate { burst: 1, ..RATE };
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(budgets.take(one, ip("192.0.2.1"), at(0)).is_ok());
        assert!(budgets.take(one, ip("192.0.2.2"), at(0)).is_ok());
        assert!(budgets.take(one, ip("::ffff:192.0.2.1"), at(0)).is_err(), "the same as above");
        assert!(budgets.take(one, ip("2001:db8::1"), at(0)).is_ok());
        assert!(budgets.take(one, ip("2001:db8::ffff:1"), at(0)).is_err(), "the same network");
        assert!(budgets.take(one, ip("2001:db8:0:1::1"), at(0)).is_ok());
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_quiet() {
        let mut budgets = ClientBudgets::default();
        let one = Rate { burst: 1, ..RATE };
        for n in 0..u32::try_from(MAX_CLIENTS).unwrap() {
            assert!(budgets.take(one, client(n), at(0)).is_ok());
        }
        // There is no place: the next ones share a budget, and the known ones keep theirs.
        assert!(budgets.take(one, client(1_000_000), at(0)).is_ok());
        assert!(budgets.take(one, client(1_000_001), at(0)).is_err());
        assert!(budgets.take(one, client(7), at(0)).is_err());
        assert!(budgets.clients.len() <= MAX_CLIENTS);
        assert!(budgets.take(one, client(1_000_001), at(1500)).is_ok());
        assert_eq!(budgets.clients.len(), 1, "all others were quiet");
    }
}
