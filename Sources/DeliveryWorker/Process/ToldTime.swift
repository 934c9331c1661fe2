import DeliveryQueue

/// The provider's time, from the dates of its answers. Pure: it is told the moments and never asks a clock.
///
/// A date tells the time only together with an earlier one, from which it has advanced as our steady clock has. The
/// first answer alone is believed until it is contradicted, because nothing must be decided by a clock that is a year
/// wrong. A date that stands still, as out of a cache, tells nothing, except that it is at least that late.
struct ToldTime {
    /// The provider's time at one moment of the steady clock.
    struct Mark: Equatable {
        var provider: Timestamp
        var steady: Duration

        func time(at steady: Duration) -> Timestamp { provider + (steady - self.steady) }
    }

    private enum Belief {
        case nothing
        /// The first answer's date, with no other to prove it.
        case first(Mark)
        case proven(Mark)
        /// The first date stands still. The time is this or later, because what is cached can only be too old.
        case floor(Mark)
    }

    /// A date that contradicts what is believed.
    private struct Doubt {
        var mark: Mark
        /// It came again although time had passed.
        var stands = false
    }

    private var belief = Belief.nothing
    /// What may still be proven; the oldest first.
    private var doubts: [Doubt] = []

    /// Clocks that differ by less agree. It is half of `RetryRules.clockTolerance`, because whole seconds and the
    /// answer's travel time make errors of their own.
    static let agreement = RetryRules.clockTolerance / 2
    /// The time in an answer that took longer is not exact enough.
    static let longestRequest = Duration.seconds(2)
    /// By how much two marks of one right clock can differ: by the second that a date cuts off, and by the longest
    /// answer.
    private static let tolerance = longestRequest + .seconds(1)
    /// Two dates so far apart prove each other. One that stands still would be off by twice the tolerance.
    private static let proof = tolerance * 2
    /// This many dates of other hosts are remembered.
    private static let mostDoubts = 8

    /// What the answers tell; nil when they tell nothing.
    var mark: Mark? {
        switch belief {
        case .first(let mark), .proven(let mark): mark
        case .nothing, .floor: nil
        }
    }

    /// The time by which to go.
    ///
    /// - Parameters:
    ///   - wall: our own clock, which counts while the two agree or the provider tells nothing.
    ///   - steady: the same moment by the steady clock.
    func now(wall: Timestamp, steady: Duration) -> Timestamp {
        switch belief {
        case .nothing: return wall
        case .first(let mark), .proven(let mark):
            let told = mark.time(at: steady)
            return Self.agree(wall, told) ? wall : told
        case .floor(let mark):
            let least = mark.time(at: steady)
            return wall < least && !Self.agree(wall, least) ? least : wall
        }
    }

    /// Takes in an answer's date.
    ///
    /// - Returns: true when the date is found to stand still.
    mutating func take(_ seen: Mark) -> Bool {
        switch belief {
        case .nothing:
            belief = .first(seen)
            return false
        case .first(let mark), .proven(let mark):
            if seen.fits(mark) {
                guard seen.isProof(of: mark) else { return false }
                // The later of the two: an answer that took long, or that was cached for a moment, is only too old.
                belief = .proven(seen.provider > mark.time(at: seen.steady) ? seen : mark)
                doubts = []
                return false
            }
            guard seen.provider == mark.provider else { return takeDoubt(seen) }
            if case .first = belief { belief = .floor(mark) }
            return true
        case .floor(let mark):
            return seen.provider == mark.provider || takeDoubt(seen)
        }
    }

    private mutating func takeDoubt(_ seen: Mark) -> Bool {
        if let index = doubts.firstIndex(where: { $0.mark.provider == seen.provider }) {
            doubts[index].stands = doubts[index].stands || !seen.fits(doubts[index].mark)
            return doubts[index].stands
        }
        let alike = doubts.filter { !$0.stands && seen.fits($0.mark) }
        if alike.contains(where: { seen.isProof(of: $0.mark) }) {
            belief = .proven(seen)
            doubts = []
        } else if alike.isEmpty {
            if doubts.count == Self.mostDoubts { doubts.removeFirst() }
            doubts.append(Doubt(mark: seen))
        }
        return false
    }

    static func agree(_ one: Timestamp, _ other: Timestamp, within limit: Duration = agreement) -> Bool {
        abs((one - other).wholeMilliseconds) <= limit.wholeMilliseconds
    }

    fileprivate static func fit(_ one: Timestamp, _ other: Timestamp) -> Bool { agree(one, other, within: tolerance) }

    fileprivate static func isProof(after span: Duration) -> Bool { span >= proof }
}

extension ToldTime.Mark {
    /// Whether both can be of one clock that runs.
    fileprivate func fits(_ earlier: ToldTime.Mark) -> Bool {
        ToldTime.fit(provider, earlier.time(at: steady))
    }

    /// Of two that fit: whether so much time has passed that a date that stands still would not fit.
    fileprivate func isProof(of earlier: ToldTime.Mark) -> Bool {
        ToldTime.isProof(after: steady - earlier.steady)
    }
}
