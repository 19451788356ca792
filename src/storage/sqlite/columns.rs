//! How values are written into columns and read back.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::alerting::AlertInstance;
use crate::model::{
    Fingerprint, GroupKey, IntegrationId, Matcher, MatcherForm, Matchers, RuleKey, SilenceId,
    Timestamp,
};
use crate::outbox::EntryId;

/// A value as JSON text.
pub struct Json<T>(pub T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
        Ok(ToSqlOutput::from(text))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(FromSqlError::other)
    }
}

/// A variant of an enum by its name.
pub struct Name<T>(pub T);

impl<T: DeserializeOwned> FromSql for Name<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name: StrDeserializer<'_, NameError> = value.as_str()?.into_deserializer();
        T::deserialize(name).map(Self).map_err(FromSqlError::other)
    }
}

/// A fingerprint as 16 hexadecimal digits, as the API shows it.
pub struct Hex(pub Fingerprint);

impl ToSql for Hex {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.0.to_string()))
    }
}

impl FromSql for Hex {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// A silence's identity as a UUID in text form.
pub struct Id(pub SilenceId);

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(FromSqlError::other)
    }
}

/// An entry's number. SQLite's numbers end at 2^63 - 1.
pub struct Entry(pub EntryId);

impl ToSql for Entry {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        i64::try_from(self.0.0)
            .map(ToSqlOutput::from)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
    }
}

impl FromSql for Entry {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let number = value.as_i64()?;
        let id = u64::try_from(number).map_err(|_| FromSqlError::OutOfRange(number))?;
        Ok(Self(EntryId(id)))
    }
}

/// A column of text, a number or NULL.
pub fn get<T: FromSql>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    row.get(column)
}

/// A column of JSON.
pub fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    get::<Json<T>>(row, column).map(|json| json.0)
}

/// A column of JSON or NULL.
pub fn json_or_null<T: DeserializeOwned>(
    row: &Row<'_>,
    column: &str,
) -> rusqlite::Result<Option<T>> {
    Ok(get::<Option<Json<T>>>(row, column)?.map(|json| json.0))
}

/// A column of matchers.
pub fn matchers(row: &Row<'_>, column: &str) -> rusqlite::Result<Matchers> {
    get::<JsonMatchers>(row, column).map(|matchers| matchers.0)
}

/// Matchers as JSON text, in the form of Alertmanager's API.
struct JsonMatchers(Matchers);

impl FromSql for JsonMatchers {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let forms = Json::<Vec<MatcherForm>>::column_result(value)?.0;
        let matchers = forms.into_iter().map(Matcher::try_from).collect::<Result<_, _>>();
        matchers.map(|list| Self(Matchers(list))).map_err(FromSqlError::other)
    }
}

/// A column that holds the name of a variant.
pub fn name<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<T> {
    get::<Name<T>>(row, column).map(|name| name.0)
}

/// A column of milliseconds.
pub fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    get(row, column).map(Timestamp::from_millis)
}

/// A column of milliseconds or NULL.
pub fn time_or_null(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp::from_millis))
}

/// The columns of a rule's key.
pub fn rule_key(row: &Row<'_>) -> rusqlite::Result<RuleKey> {
    let text = |column| get::<String>(row, column);
    let (file, group, rule) = (text("rule_file")?, text("rule_group")?, text("rule_name")?);
    Ok(RuleKey::new(file, group, rule, get(row, "rule_nth")?))
}

/// The columns of an alert's state.
pub fn instance(row: &Row<'_>) -> rusqlite::Result<AlertInstance> {
    Ok(AlertInstance {
        labels: json(row, "labels")?,
        annotations: json(row, "annotations")?,
        state: name(row, "state")?,
        value: get::<Option<f64>>(row, "value")?.unwrap_or(f64::NAN),
        active_at: time(row, "active_at")?,
        fired_at: time_or_null(row, "fired_at")?,
        keep_firing_since: time_or_null(row, "keep_firing_since")?,
        resolved_at: time_or_null(row, "resolved_at")?,
    })
}

/// The column of a group's key.
pub fn group_key(row: &Row<'_>) -> rusqlite::Result<GroupKey> {
    get(row, "group_key").map(GroupKey)
}

/// The columns of an integration.
pub fn integration(row: &Row<'_>) -> rusqlite::Result<IntegrationId> {
    Ok(IntegrationId {
        receiver: get(row, "receiver")?,
        kind: get(row, "integration")?,
        index: get(row, "integration_index")?,
    })
}
