package import DeliveryQueue

/// The times of one row of a log; each is nil where the row has none.
package struct RowTimes: Sendable, Equatable {
    /// When the row was made.
    package var logged: Timestamp?
    /// When it was changed last; equals `logged` where rows do not change.
    package var changed: Timestamp?

    package init(logged: Timestamp?, changed: Timestamp? = nil) {
        self.logged = logged
        self.changed = changed ?? logged
    }
}

/// Watches one time of a log's rows, page after page, and judges whether the newest come first.
///
/// Only the rows that were seen prove it: their times fall clearly more often than they rise, and never rise by more
/// than the overlap, within which late entries are expected.
struct RowOrder: Sendable, Equatable {
    private let overlap: Duration
    private var previous: Timestamp?
    private var falls: Int
    /// How often a row was newer than the one before it.
    private(set) var rises = 0
    private var risesTooMuch = false
    private(set) var lowest: Timestamp?
    private(set) var newest: Timestamp?
    /// The times of the last rows.
    private var last: [Timestamp] = []

    /// This many more falls than rises prove the order; a few rows in no order fall by chance.
    private static let proof = 8
    /// So many rows in a row may be logged late without a later row between them.
    private static let lateRows = 2

    /// - Parameter isAssumed: whether an earlier scan of the same log has proven it.
    init(overlap: Duration, isAssumed: Bool) {
        self.overlap = overlap
        falls = isAssumed ? Self.proof : 0
    }

    /// The time at which the rows have come; nil: there was none. A row that was logged late stands among newer ones
    /// and says nothing of those that follow.
    var readDownTo: Timestamp? { last.max() }

    var isNewestFirst: Bool { !risesTooMuch && falls >= rises + Self.proof }

    mutating func take(_ time: Timestamp?) {
        guard let time else { return }
        if let previous {
            if time < previous { falls += 1 }
            if time > previous { rises += 1 }
        }
        if let lowest, time > lowest + overlap { risesTooMuch = true }
        lowest = min(lowest ?? time, time)
        newest = max(newest ?? time, time)
        previous = time
        last = last.suffix(Self.lateRows) + [time]
    }
}
