import DeliveryQueue
import Testing

@testable import RedeliverConfiguration

@Suite struct CircuitConfigurationTests {
    private func read(_ text: String) throws -> CircuitSettings {
        try ConfigurationSample.with("circuit", text).read().circuit
    }

    @Test func `without the section the circuit is the built-in one, its ramp up to the calls in flight`() throws {
        #expect(try ConfigurationSample().read().circuit == CircuitSettings(rampLimit: 16))
        #expect(try ConfigurationSample.with("retry.concurrency", "3").read().circuit.rampLimit == 3)
    }

    @Test func `every key of the section is obeyed`() throws {
        let text = "{enabled: false, open_after: 2, trial_delays: [100ms, 9s], max_hold: 1h, ramp: false}"
        #expect(
            try read(text)
                == CircuitSettings(
                    isEnabled: false, openAfter: 2, trialDelays: [.milliseconds(100), .seconds(9)],
                    maxHold: .seconds(3_600), rampLimit: nil))
    }

    @Test(arguments: [
        ("{trial_delays: []}", "circuit.trial_delays: has 0 entries; 1…100 are allowed"),
        ("{trial_delays: [1m, 0s]}", "circuit.trial_delays: 0s is outside 100ms…1d"),
        (
            "{trial_delays: 1m}",
            "circuit.trial_delays: expected a list of durations such as [1m, 5m], found a single value"
        ),
        ("{open_after: 0}", "circuit.open_after: 0 is outside 1…100"),
    ])
    func `a faulty section is refused`(text: String, problem: String) {
        #expect(ConfigurationSample.with("circuit", text).problems() == [problem])
    }
}
