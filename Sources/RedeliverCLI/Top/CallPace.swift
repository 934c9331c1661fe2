import DeliveryQueue

/// Retry calls per second, from successive readings of a counter that only rises.
struct CallPace: Equatable {
    private struct Sample: Equatable {
        let at: Timestamp
        let calls: Int64
    }

    private static let window = Duration.seconds(60)
    /// Oldest first; only the first may lie before the window.
    private var samples: [Sample] = []

    /// Adds a reading. A clock that went back, or a lower counter, as of a restored database, begins anew.
    mutating func note(_ calls: Int64, at now: Timestamp) {
        if let last = samples.last, now <= last.at || calls < last.calls { samples = [] }
        samples.append(Sample(at: now, calls: calls))
        while samples.count > 1, now - samples[1].at >= Self.window { samples.removeFirst() }
    }

    /// Between the last two readings; nil before there are two.
    var current: Double? {
        samples.suffix(2).count == 2 ? Self.perSecond(samples[samples.count - 2], samples[samples.count - 1]) : nil
    }

    /// Over the last minute, or since the first reading; nil before there are two readings.
    var lately: (perSecond: Double, calls: Int64, over: Duration)? {
        guard samples.count > 1, let first = samples.first, let last = samples.last else { return nil }
        return (Self.perSecond(first, last), last.calls - first.calls, last.at - first.at)
    }

    private static func perSecond(_ first: Sample, _ last: Sample) -> Double {
        Double(last.calls - first.calls) / (last.at - first.at).inSeconds
    }
}
