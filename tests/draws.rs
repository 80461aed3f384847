//! Value stability: the draws of every purpose and every distribution, pinned. A change here moves all simulated
//! numbers at a fixed seed: it is *value-breaking* and belongs in the changelog. Print the new table with `cargo test
//! --test draws -- --nocapture`, and say why.

use billcast::provider::{Begin, Between, Renewal, Timeline};
use billcast::random::{
    Addressed, Choice, Copula, Dist, DistSpec, Draws, GapsSpec, Here, Purpose, Replication, Seed, Strata,
};

const PURPOSES: [(Purpose, u64); 24] = [
    (Purpose::Arrival, 5_034_582_315_998_468_114),
    (Purpose::InputTokens, 9_622_327_519_327_262_201),
    (Purpose::OutputTokens, 16_421_227_623_654_820_149),
    (Purpose::Kind, 15_457_263_066_663_660_402),
    (Purpose::Pick, 2_155_107_151_078_601_576),
    (Purpose::Jitter, 2_507_028_635_451_519_221),
    (Purpose::Failure, 7_676_689_925_685_333_551),
    (Purpose::FirstToken, 14_069_856_580_825_803_656),
    (Purpose::Pace, 1_394_042_012_928_137_269),
    (Purpose::Incident, 12_628_017_540_645_251_530),
    (Purpose::Patience, 14_937_488_910_961_597_480),
    (Purpose::Duplicate, 118_120_451_545_575_851),
    (Purpose::Volume, 2_492_954_340_200_976_164),
    (Purpose::PromptCache, 6_121_632_811_454_710_681),
    (Purpose::ErrorLatency, 165_718_981_459_732_875),
    (Purpose::Key, 17_493_199_275_623_758_935),
    (Purpose::Think, 4_238_469_979_619_583_397),
    (Purpose::Turns, 16_585_424_747_880_527_938),
    (Purpose::Prefix, 1_262_086_446_081_982_362),
    (Purpose::ClientRetry, 14_202_052_308_136_078_116),
    (Purpose::Offspring, 6_022_860_166_313_374_023),
    (Purpose::Worker, 12_281_847_517_984_506_908),
    (Purpose::Overhead, 209_535_367_558_693_095),
    (Purpose::ClientPause, 1_728_020_132_159_177_823),
];

const DISTRIBUTIONS: [(&str, u64); 11] = [
    ("800", 6_191_747_482_394_853_050),
    ("uniform(2, 5)", 18_064_689_237_704_399_342),
    ("exponential(mean=3)", 14_980_900_830_647_293_247),
    ("lognormal(median=800, p95=3500)", 13_062_715_388_937_344_782),
    ("gamma(shape=0.21, scale=4)", 6_999_445_057_918_605_691),
    ("gamma(shape=7.5, scale=2)", 5_351_017_543_232_319_451),
    ("weibull(shape=0.33, scale=10)", 8_597_346_048_862_682_842),
    ("quantiles(p5=20, p50=50, p95=700)", 631_403_516_469_590_094),
    ("mix(0.7 * lognormal(median=800, p95=3500), 0.3 * 30)", 6_408_544_606_478_867_974),
    ("lognormal(median=800, p95=3500, max=4k)", 16_747_954_239_766_865_039),
    ("adjust(exponential(mean=3), min=1)", 10_615_702_680_017_165_441),
];

/// Several numbers as one: FNV-1a over their bits.
fn digest(values: impl IntoIterator<Item = u64>) -> u64 {
    let bytes = values.into_iter().flat_map(u64::to_le_bytes);
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// Says which of the pinned values are others now, and prints them all.
fn compare(found: &[(String, u64)], pinned: &[u64]) {
    found.iter().for_each(|(name, value)| println!("{name}: {value}"));
    let moved: Vec<&str> =
        found.iter().zip(pinned).filter(|((_, now), then)| now != *then).map(|((name, _), _)| name.as_str()).collect();
    assert!(moved.is_empty() && found.len() == pinned.len(), "value-breaking: {moved:?}");
}

#[test]
fn draws_of_every_purpose_are_those_of_before() {
    let value = |purpose| {
        let mut draws = Addressed::new(Seed(7), Replication(3));
        draws.begin_request(2, 42);
        let below = draws.below(purpose, 1, 1_000_000);
        digest([
            draws.bits(purpose, 0, 0),
            draws.bits(purpose, 5, 2),
            u64::from(below),
            draws.unit(purpose, 3).to_bits(),
        ])
    };
    let found: Vec<_> = PURPOSES.iter().map(|(purpose, _)| (format!("{purpose:?}"), value(*purpose))).collect();
    compare(&found, &PURPOSES.map(|(_, pinned)| pinned));
    let numbered = |line: &&str| {
        line.trim_end().trim_end_matches(',').rsplit_once(" = ").is_some_and(|(name, number)| {
            name.trim().chars().all(char::is_alphanumeric) && number.parse::<u8>().is_ok()
        })
    };
    let known = include_str!("../src/random/addressed.rs").lines().filter(numbered).count();
    assert_eq!(known, PURPOSES.len(), "a new purpose is pinned, too");
}

#[test]
fn values_of_every_distribution_are_those_of_before() {
    let levels = [0.0, 1e-6, 0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999_9, 0.999_999_9];
    let value = |text: &str| {
        let dist: Dist = text.parse::<DistSpec>().expect("a distribution").compile().expect("a distribution");
        digest(levels.map(|u| dist.sample(u).to_bits()).into_iter().chain([dist.residual(0.3, 0.6).to_bits()]))
    };
    let found: Vec<_> = DISTRIBUTIONS.iter().map(|(text, _)| ((*text).to_owned(), value(text))).collect();
    compare(&found, &DISTRIBUTIONS.map(|(_, pinned)| pinned));
}

#[test]
fn lengths_that_go_together_are_those_of_before() {
    let copula = Copula::new(0.44).expect("a correlation");
    let counts = DISTRIBUTIONS.map(|(text, _)| {
        let dist: Dist = text.parse::<DistSpec>().expect("a distribution").compile().expect("a distribution");
        digest((0..200).map(|request| {
            let here = Here::of(Seed(7), Replication(3), 2, request);
            let [first, own] = [Purpose::InputTokens, Purpose::OutputTokens].map(|purpose| here.unit(purpose, 0, 0));
            u64::from(dist.count_at_score(copula.score(first, own)))
        }))
    });
    compare(&[("counts".to_owned(), digest(counts))], &[10_255_487_272_434_559_816]);
}

#[test]
fn choices_gaps_strata_and_timelines_are_those_of_before() {
    let choice = Choice::new(&[1.0, 3.0, 0.5, 2.0]).expect("weights");
    let picks = (0..100).map(|k| choice.pick(f64::from(k) / 100.0) as u64);
    let gaps = ["poisson", "gamma(cv=2.2)", "weibull(shape=0.42)"].map(|text| {
        let gaps = text.parse::<GapsSpec>().expect("gaps").compile().expect("a distribution");
        digest([0.01, 0.5, 0.99].map(|u| gaps.sample(u).to_bits()))
    });
    let strata = [0, 1, 19, 20, 199, 100_000].map(|run| {
        let strata = Strata::new(Seed(7), Replication(run));
        digest(
            [(8, 0, Purpose::Volume, 0), (1 << 63, 3, Purpose::Incident, 4)]
                .map(|(stream, number, purpose, nth)| strata.unit_at(stream, number, purpose, nth).to_bits()),
        )
    });
    let timelines = [
        (Between::EndAndStart, Begin::Quiet),
        (Between::EndAndStart, Begin::Stationary),
        (Between::Starts, Begin::Quiet),
        (Between::Starts, Begin::Stationary),
    ]
    .map(|(between, begin)| {
        let dist = |text: &str| text.parse::<DistSpec>().expect("a distribution").compile().expect("a distribution");
        let (quiet_s, active_s) = (dist("weibull(shape=0.65, scale=3600)"), dist("lognormal(median=600, p95=4000)"));
        let timeline = Timeline::Renewal(Renewal { quiet_s, active_s, between, begin, rhythm: None });
        let windows = timeline.windows(Seed(7), Replication(3), 99).take(20);
        digest(windows.flat_map(|window| [window.start.0 as u64, window.end.0 as u64]))
    });
    let found = [digest(picks), digest(gaps), digest(strata), digest(timelines)];
    let names = ["choice", "gaps", "strata", "timelines"];
    compare(
        &names.map(str::to_owned).into_iter().zip(found).collect::<Vec<_>>(),
        &[8_360_956_134_571_313_573, 902_101_387_059_679_432, 12_045_105_255_405_253_252, 6_448_499_499_539_761_215],
    );
}
