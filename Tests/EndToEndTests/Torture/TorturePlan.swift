import TestSupport

/// How one life of the daemon shall end.
struct TorturePlan: CustomStringConvertible {
    /// A point that may never be reached; then the patience ends.
    let point: KillPoint
    /// So long after its start it is killed at the latest.
    let patience: Duration
    /// Whether it is asked to stop when the patience ends, so that the point can lie in a clean stop.
    var stopsFirst = false

    var description: String { "\(point) or after \(patience)\(stopsFirst ? " in a stop" : "")" }

    /// Every kind of point with its share of the kills and the events of it that one life has.
    private static let kinds: [(kind: String, share: Int, limit: Int)] = [
        ("wal-write", 6, 240), ("wal-write/half", 6, 240), ("wal-sync", 3, 20), ("wal-sync/after", 4, 20),
        ("retry-request", 6, 5), ("retry-body", 3, 5), ("retry-body/after", 9, 5), ("retry-answer", 12, 5),
        ("log-answer", 5, 12), ("metrics-write", 1, 2), ("metrics-write/half", 2, 2), ("metrics-sync", 1, 2),
        ("metrics-rename", 2, 2), ("metrics-rename/after", 1, 2), ("lock-write", 1, 1),
    ]

    static func next(_ luck: inout SeededNumbers) -> TorturePlan {
        switch Int.random(in: 0..<20, using: &luck) {
        case 0..<5:
            // A point that no life reaches: the moment decides.
            let moment = Duration.milliseconds(Int.random(in: 20...900, using: &luck))
            return TorturePlan(point: KillPoint("nowhere"), patience: moment)
        case 5:
            let kind = ["main-write", "main-write/half", "main-sync"].randomElement(using: &luck) ?? "main-write"
            return TorturePlan(
                point: KillPoint(kind, kind == "main-sync" ? 1 : luck.small(upTo: 8)), patience: .milliseconds(400),
                stopsFirst: true)
        default:
            return TorturePlan(point: point(&luck), patience: .milliseconds(1_500))
        }
    }

    private static func point(_ luck: inout SeededNumbers) -> KillPoint {
        var ticket = Int.random(in: 0..<kinds.reduce(0) { $0 + $1.share }, using: &luck)
        for (kind, share, limit) in kinds {
            if ticket < share { return KillPoint(kind, luck.small(upTo: limit)) }
            ticket -= share
        }
        return KillPoint("wal-write")
    }
}

extension SeededNumbers {
    /// Small numbers are as likely as large ones, so that the beginning of a run is hit often.
    fileprivate mutating func small(upTo limit: Int) -> Int {
        let highest = Int.random(in: 1...limit, using: &self)
        return Int.random(in: 1...highest, using: &self)
    }
}
