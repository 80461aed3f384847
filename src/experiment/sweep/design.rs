//! Which configurations are played: all combinations, or a Latin hypercube.

use crate::experiment::sweep::axis::Axis;
use crate::random::mix;

/// How configurations are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// All combinations of the values.
    Grid,
    /// So many configurations, spread so that each axis is covered evenly (McKay, Beckman and Conover 1979).
    LatinHypercube(usize),
}

/// No sweep needs more configurations.
pub const MOST_POINTS: usize = 100_000;

/// The configurations, each with a value for every axis; none when there would be too many.
pub fn design(axes: &[Axis], design: Design, seed: u64) -> Option<Vec<Vec<String>>> {
    match design {
        Design::Grid => grid(axes),
        Design::LatinHypercube(points) => (points <= MOST_POINTS).then(|| latin(axes, points, seed)),
    }
}

fn grid(axes: &[Axis]) -> Option<Vec<Vec<String>>> {
    let mut points: Vec<Vec<String>> = vec![Vec::new()];
    for axis in axes {
        let values = axis.grid();
        if points.len().checked_mul(values.len())? > MOST_POINTS {
            return None;
        }
        let with = |point: &Vec<String>| {
            let point = point.clone();
            values.iter().map(move |value| [point.clone(), vec![value.clone()]].concat()).collect::<Vec<_>>()
        };
        points = points.iter().flat_map(with).collect();
    }
    Some(points)
}

/// Each axis is cut into as many equal parts as there are configurations; each part is used once, at a random place
/// in it.
fn latin(axes: &[Axis], points: usize, seed: u64) -> Vec<Vec<String>> {
    let columns: Vec<Vec<String>> = axes
        .iter()
        .enumerate()
        .map(|(number, axis)| {
            let salt = mix(seed ^ mix(number as u64 + 1));
            let mut order: Vec<u64> = (0..points as u64).collect();
            order.sort_by_key(|part| mix(salt ^ part << 1));
            let jitter = |part: u64| (mix(salt ^ part << 1 ^ 1) >> 11) as f64 / (1u64 << 53) as f64;
            order.iter().map(|part| axis.at((*part as f64 + jitter(*part)) / points as f64)).collect()
        })
        .collect();
    (0..points).map(|point| columns.iter().map(|column| column[point].clone()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_every_combination_once() {
        let axes: Vec<Axis> = ["a=1,2", "b=0..2", "c=x"].iter().map(|text| text.parse().unwrap()).collect();
        let mut points = design(&axes, Design::Grid, 1).unwrap();
        assert_eq!((points.len(), points[1].join(" ")), (6, "1 1 x".to_owned()));
        points.sort();
        points.dedup();
        assert_eq!(points.len(), 6);
        let huge: Vec<Axis> = (0..6).map(|_| "a=0.0..1.0:100".parse().unwrap()).collect();
        assert_eq!(design(&huge, Design::Grid, 1), None);
    }

    #[test]
    fn a_latin_hypercube_uses_each_part_of_each_axis_once() {
        let axes: Vec<Axis> = ["a=0.0..50.0", "b=p,q"].iter().map(|text| text.parse().unwrap()).collect();
        let points = design(&axes, Design::LatinHypercube(50), 7).unwrap();
        let mut parts: Vec<usize> = points.iter().map(|point| point[0].parse::<f64>().unwrap() as usize).collect();
        parts.sort_unstable();
        assert_eq!(parts, (0..50).collect::<Vec<_>>());
        assert_eq!(points.iter().filter(|point| point[1] == "p").count(), 25);
        assert_eq!(points, design(&axes, Design::LatinHypercube(50), 7).unwrap(), "same seed, same points");
    }
}
