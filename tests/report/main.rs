//! What `report` promises: one set of figures in every format, a stable contract, nothing escapes.

mod synthetic;

use billcast::experiment::Forecast;
use billcast::report::{TerminalOptions, View, artefacts, terminal};
use synthetic::{Recipe, USUAL};

/// Every kind of forecast that must look right, with a name.
fn gallery() -> Vec<(&'static str, Forecast)> {
    let make = |name, recipe: Recipe| (name, synthetic::forecast(recipe));
    vec![
        make("usual", USUAL),
        make("many", Recipe { deployments: 26, runs: 1000, ..USUAL }),
        make("single", Recipe { deployments: 1, runs: 1, ..USUAL }),
        make("free", Recipe { free: true, ..USUAL }),
        make("broken", Recipe { broken: true, runs: 20, ..USUAL }),
        make("hostile", Recipe { hostile: true, deployments: 7, runs: 30, ..USUAL }),
        make("outlier", Recipe { outlier: true, hours: 24 * 14, ..USUAL }),
    ]
}

/// Writes every artefact of every kind below `target/tmp/gallery`, to be looked at.
#[test]
#[ignore = "writes files for human eyes"]
fn write_the_gallery() {
    for (name, forecast) in gallery() {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("gallery").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for artefact in artefacts(&forecast) {
            std::fs::write(folder.join(artefact.file_name), artefact.bytes).unwrap();
        }
        let view = View::new(&forecast);
        let options = TerminalOptions { width: 80, color: false, verbose: false };
        std::fs::write(folder.join("terminal.txt"), terminal(&view, options)).unwrap();
        let options = TerminalOptions { verbose: true, width: 110, color: true };
        std::fs::write(folder.join("verbose.txt"), terminal(&view, options)).unwrap();
    }
}
