//! The program: everything is in the library.

fn main() -> std::process::ExitCode {
    billcast::cli::main()
}
