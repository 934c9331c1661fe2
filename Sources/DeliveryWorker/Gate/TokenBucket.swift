import DeliveryQueue

/// How fast calls may follow each other: a token bucket. Less than the whole rate is a share of both its refill and its
/// size, so that a rest at a low rate does not save up a burst. Pure: told the time, never asks for it.
struct TokenBucket: Sendable, Equatable {
    private var perSecond: Double
    private var burst: Double
    private var tokens: Double
    private var refilled: Timestamp
    /// The share of `perSecond` in force, above 0 and at most 1.
    private(set) var share = 1.0

    private static let lowestShare = 1.0 / 16
    /// Added with each accepted call: at 10 calls a second the way from a sixteenth to the whole takes 14 s.
    private static let recoveryPerCall = 0.02
    /// No ramp begins below so many calls a second: a configured rate that is low anyway needs none.
    private static let slowestRamp = 0.5

    init(perSecond: Double, burst: Int, now: Timestamp) {
        self.perSecond = perSecond
        self.burst = Double(max(1, burst))
        tokens = self.burst
        refilled = now
    }

    /// Takes up to `wanted` tokens.
    mutating func take(upTo wanted: Int, at now: Timestamp) -> Int {
        // A clock that was set back must not stop the refill for as long as it was set back.
        tokens = min(max(1, burst * share), tokens + refill(until: now))
        refilled = now
        let granted = max(0, min(wanted, Int(tokens)))
        tokens -= Double(granted)
        return granted
    }

    /// Returns tokens that were taken and not used.
    mutating func giveBack(_ count: Int) {
        tokens = min(burst, tokens + Double(count))
    }

    /// How long until a token is there.
    func wait(at now: Timestamp) -> Duration {
        let missing = 1 - (tokens + refill(until: now))
        return missing <= 0 ? .zero : .milliseconds(Int64((missing / (perSecond * share) * 1_000).rounded(.up)))
    }

    /// The provider asked to slow down.
    mutating func halve() {
        share = max(min(share, Self.lowestShare), share / 2)
    }

    /// A call was accepted.
    mutating func recover() {
        share = min(1, share + Self.recoveryPerCall)
    }

    /// After a time without calls: what was saved up is gone, one call may begin.
    ///
    /// - Parameter isRamp: whether the rate begins at its lowest as well.
    mutating func restart(asRamp isRamp: Bool, at now: Timestamp) {
        if isRamp { share = min(share, max(Self.lowestShare, Self.slowestRamp / perSecond)) }
        tokens = 1
        refilled = now
    }

    /// A reloaded configuration's rate; the share stays.
    mutating func adopt(perSecond: Double, burst: Int) {
        self.perSecond = perSecond
        self.burst = Double(max(1, burst))
        tokens = min(tokens, self.burst)
    }

    private func refill(until now: Timestamp) -> Double {
        max(0, (now - refilled).inSeconds) * perSecond * share
    }
}
