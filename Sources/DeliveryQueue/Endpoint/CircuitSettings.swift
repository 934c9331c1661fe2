/// How an endpoint's circuit holds deliveries while its receiver fails for all of them, and how it releases them.
package struct CircuitSettings: Sendable, Equatable {
    /// false: no circuit ever opens, and each delivery is retried on its own clock.
    package var isEnabled: Bool
    /// How many different deliveries must fail in a row to open it; at least 1.
    package var openAfter: Int
    /// The waits before the first, second, … trial while it is open; the last wait repeats. Never empty.
    package var trialDelays: [Duration]
    /// How long a held delivery does not age and a failed trial uses no attempt. After that both go on, while the
    /// circuit stays open.
    package var maxHold: Duration
    /// A drain begins with one open call and is over at this number; nil: no ramp, all are released at once.
    package var rampLimit: Int?

    package init(
        isEnabled: Bool = true, openAfter: Int = 5, trialDelays: [Duration] = Self.standardDelays,
        maxHold: Duration = .seconds(14 * 86_400), rampLimit: Int? = 16
    ) {
        self.isEnabled = isEnabled
        self.openAfter = openAfter
        self.trialDelays = trialDelays
        self.maxHold = maxHold
        self.rampLimit = rampLimit
    }

    package static let standardDelays: [Duration] = [
        .seconds(30), .seconds(60), .seconds(120), .seconds(240), .seconds(300),
    ]
    package static let standard = CircuitSettings()

    /// The longest wait before a trial.
    var longestDelay: Duration { trialDelays.max() ?? .zero }

    /// The wait before the trial at this step of the ladder; the first step is 0.
    func delay(atStep step: Int) -> Duration {
        trialDelays[min(max(0, step), trialDelays.count - 1)]
    }
}
