//! Files as the text that is in them: workbooks are unpacked, Parquet is read.

use std::fs;
use std::io::Read;
use std::path::Path;

use arrow_array::{Array, StringArray};
use flate2::read::DeflateDecoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Something that the program wrote, as text.
pub struct Output {
    /// Its file name, or `command:stdout`.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// All files below a folder; pictures of points are left out.
pub fn files(folder: &Path, under: &str) -> Vec<Output> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = format!("{under}/{}", entry.file_name().to_string_lossy());
        match path.extension().and_then(|end| end.to_str()) {
            _ if path.is_dir() => all.extend(files(&path, &name)),
            Some("png") => {}
            Some("xlsx") => all.push(Output { name, text: unpacked(&fs::read(&path).unwrap()) }),
            Some("parquet") => all.push(Output { name, text: parquet(&path) }),
            _ => all.push(Output { name, text: fs::read_to_string(&path).unwrap() }),
        }
    }
    all
}

/// The texts of a zip archive, one after the other, by its directory (APPNOTE 6.3, sections 4.3.12 and 4.3.7).
fn unpacked(bytes: &[u8]) -> String {
    let two = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let four = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut text = String::new();
    let is_entry = |at: &usize| bytes[*at..].starts_with(b"PK\x01\x02");
    for at in (0..bytes.len() - 46).filter(is_entry) {
        let (size, place) = (four(at + 20), four(at + 42));
        let start = place + 30 + two(place + 26) + two(place + 28);
        match two(at + 10) {
            0 => text.push_str(std::str::from_utf8(&bytes[start..start + size]).unwrap()),
            _ => {
                DeflateDecoder::new(&bytes[start..start + size]).read_to_string(&mut text).unwrap();
            }
        }
    }
    assert!(text.contains("<worksheet"), "a workbook has sheets");
    // Line ends that the format itself has.
    text.replace("\r\n", "\n")
}

/// The metadata and all texts of a Parquet file.
fn parquet(path: &Path) -> String {
    let builder = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    let facts = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    // The Arrow schema is base64 of the columns' names.
    let mut text: String = facts
        .iter()
        .filter(|fact| fact.key != "ARROW:schema")
        .map(|fact| format!("{}={}\n", fact.key, fact.value.as_deref().unwrap_or_default()))
        .collect();
    for batch in builder.build().unwrap().map(Result::unwrap) {
        for column in batch.columns().iter().filter_map(|column| column.as_any().downcast_ref::<StringArray>()) {
            column.iter().flatten().for_each(|cell| text.push_str(&format!("{cell}\n")));
        }
        assert!(batch.num_columns() > 0);
    }
    text
}
