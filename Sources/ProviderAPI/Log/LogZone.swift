import Foundation

/// The zone of log times that name none themselves.
package struct LogZone: Sendable, Equatable {
    private enum Rule: Sendable, Equatable {
        /// Milliseconds east of UTC.
        case fixed(Int64)
        /// A zone with summer time, or one whose offset was another once.
        case named(TimeZone)
    }

    private let rule: Rule

    package static let utc = LogZone(rule: .fixed(0))

    private init(rule: Rule) {
        self.rule = rule
    }

    /// `UTC`, an offset such as `+03:00`, or a name of the tz database such as `Europe/Istanbul`; nil for any other
    /// text.
    package init?(_ text: String) {
        var reader = TextReader(trimming: text)
        if let minutes = LogTime.zoneMinutes(&reader), reader.isAtEnd, !text.isEmpty {
            self.init(rule: .fixed(Int64(minutes) * 60_000))
        } else if text.contains("/"), let zone = TimeZone(identifier: text) {
            self.init(rule: .named(zone))
        } else {
            return nil
        }
    }

    /// Milliseconds since 1970 UTC of a local time that is given in the same way.
    ///
    /// An hour that comes twice, when summer time ends, counts as the later one: a retry is then never taken for older
    /// than its call. An hour that does not exist counts by the offset before it.
    func universal(_ local: Int64) -> Int64 {
        switch rule {
        case .fixed(let offset): return local - offset
        case .named(let zone):
            let day: Int64 = 86_400_000
            let around = [offset(of: zone, at: local - day), offset(of: zone, at: local + day)]
            let times = around.map { (time: local - $0, offset: $0) }
            return times.filter { offset(of: zone, at: $0.time) == $0.offset }.map(\.time).max() ?? local - around[0]
        }
    }

    private func offset(of zone: TimeZone, at time: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time) / 1000))) * 1000
    }
}
