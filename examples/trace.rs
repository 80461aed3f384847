use std::process::ExitCode;
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let explain = arguments.iter().any(|a| a == "--explain");
    let file = arguments.iter().find(|a| !a.starts_with('-')).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
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
