//! A map whose keys the user chooses, in the order written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::OnceLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

/// Names and values in the order written.
#[derive(Debug, Clone)]
pub struct Named<T> {
    all: Vec<(String, T)>,
    /// Where each name stands; made when somebody asks. There may be a hundred thousand keys, and as many who ask.
    places: OnceLock<HashMap<String, usize>>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<T> From<Vec<(String, T)>> for Named<T> {
    fn from(all: Vec<(String, T)>) -> Self {
        Self { all, places: OnceLock::new() }
    }
}

impl<T> IntoIterator for Named<T> {
    type Item = (String, T);
    type IntoIter = std::vec::IntoIter<(String, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.into_iter()
    }
}

impl<T: PartialEq> PartialEq for Named<T> {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl<T> Named<T> {
    /// Name by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.all.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value under this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.place(name).map(|place| &self.all[place].1)
    }

    /// At which place this name stands; the first one if it stands twice.
    pub fn place(&self, name: &str) -> Option<usize> {
        let places = self.places.get_or_init(|| {
            let mut places = HashMap::with_capacity(self.all.len());
            for (place, (name, _)) in self.all.iter().enumerate() {
                places.entry(name.clone()).or_insert(place);
            }
            places
        });
        places.get(name).copied()
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    all.push(entry);
                }
                Ok(Named::from(all))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Named_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}
