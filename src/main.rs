//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (file, explain) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["trace", file] => (file, false),
        ["trace", file, "--explain"] | ["trace", "--explain", file] => (file, true),
        _ => {
            eprintln!("usage: billcast trace CASE.json [--explain]");
            return ExitCode::from(2);
        }
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{file}: {error}");
            return ExitCode::from(2);
        }
    };
    match billcast::report::trace(file, &text) {
        Ok(trace) if explain => print!("{}", trace.explain()),
        Ok(trace) => println!("{:#}", trace.to_json()),
        Err(found) => {
            for diagnostic in found {
                eprintln!("{diagnostic}");
            }
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
