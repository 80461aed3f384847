//! The figures as Parquet: exact decimals for money, whole numbers, floats and UTF-8; missing values are null.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Decimal128Array, Float64Array, RecordBatch, StringArray, TimestampSecondArray, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::report::Artefact;
use crate::report::data::{Cell, Column, Dataset, Kind};
use crate::report::text::clean;

/// Digits of a decimal, and those after the point: money to a picodollar.
const PRECISION: u8 = 38;
const SCALE: i8 = 12;

/// One file for each table; `facts` go into its metadata.
pub fn parquet_files<'a>(all: impl Iterator<Item = &'a Dataset>, facts: &[(&str, String)]) -> Vec<Artefact> {
    all.map(|dataset| Artefact { file_name: format!("{}.parquet", dataset.name), bytes: bytes(dataset, facts) })
        .collect()
}

fn bytes(dataset: &Dataset, facts: &[(&str, String)]) -> Vec<u8> {
    let fields: Vec<Field> = dataset.columns.iter().map(field).collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = dataset.columns.iter().enumerate();
    let arrays: Vec<ArrayRef> = columns.map(|(index, column)| array(dataset, index, column.kind)).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).expect("every column has a value for every row");
    let metadata = facts.iter().map(|(label, value)| KeyValue::new(format!("billcast.{label}"), value.clone()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("billcast ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(metadata.collect()))
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties)).expect("types that Parquet has");
    writer.write(&batch).expect("memory does not fail");
    writer.into_inner().expect("memory does not fail")
}

fn field(column: &Column) -> Field {
    let kind = match column.kind {
        Kind::Text => DataType::Utf8,
        Kind::Count => DataType::UInt64,
        Kind::Number | Kind::Share => DataType::Float64,
        Kind::Money => DataType::Decimal128(PRECISION, SCALE),
        Kind::Time => DataType::Timestamp(TimeUnit::Second, Some("UTC".into())),
    };
    Field::new(&column.name, kind, true)
}

fn array(dataset: &Dataset, index: usize, kind: Kind) -> ArrayRef {
    let cells = || dataset.rows.iter().map(move |row| &row[index]);
    match kind {
        Kind::Text => Arc::new(cells().map(text).collect::<StringArray>()),
        Kind::Count => Arc::new(cells().map(count).collect::<UInt64Array>()),
        Kind::Number | Kind::Share => Arc::new(cells().map(number).collect::<Float64Array>()),
        Kind::Money => {
            let amounts = cells().map(picos).collect::<Decimal128Array>();
            Arc::new(amounts.with_precision_and_scale(PRECISION, SCALE).expect("an i128 has at most 39 digits"))
        }
        Kind::Time => {
            let seconds = cells().map(|cell| match cell {
                Cell::Time(at) => Some(at.as_second()),
                _ => None,
            });
            Arc::new(seconds.collect::<TimestampSecondArray>().with_timezone("UTC"))
        }
    }
}

fn text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(clean(text)),
        _ => None,
    }
}

fn count(cell: &Cell) -> Option<u64> {
    match cell {
        Cell::Count(count) => Some(*count),
        _ => None,
    }
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(*number),
        _ => None,
    }
}

fn picos(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Money(amount) => Some(amount.picos()),
        _ => None,
    }
}
