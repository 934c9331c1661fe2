/// One row of an endpoint's log, which shows one attempt.
struct LogRow: Sendable {
    let taskJSON: String
    let deliveryIndex: Int
    var status: Int
    let at: Milliseconds
    /// When the row was changed in place; nil when it was not, or when the log does not show it.
    var updatedAt: Milliseconds?

    var succeeded: Bool { (200..<300).contains(status) }
}

/// The rows of one endpoint's log, kept in the order of its pages, so that a page is a slice.
struct EventLog: Sendable {
    private var rows: [LogRow] = []
    /// Indexes into `rows`, sorted by time, or by a hash of the index for `shuffled`.
    private var sequence: [Int] = []
    private let seed: UInt64
    private(set) var order: Scenario.Order

    init(seed: UInt64, order: Scenario.Order) {
        self.seed = seed
        self.order = order
    }

    var count: Int { sequence.count }

    /// Adds a row in its place by time and returns its index, which stays valid.
    @discardableResult
    mutating func append(_ row: LogRow) -> Int {
        let index = rows.count
        rows.append(row)
        // Almost every row is the newest one, so the insertion seldom moves anything.
        var low = 0
        var high = sequence.count
        while low < high {
            let middle = (low + high) / 2
            if precedes(sequence[middle], index) { low = middle + 1 } else { high = middle }
        }
        sequence.insert(index, at: low)
        return index
    }

    /// Changes a row in place. nil as the time does not show the change.
    mutating func update(_ index: Int, status: Int, at time: Milliseconds?) {
        rows[index].status = status
        rows[index].updatedAt = time
    }

    /// Deletes entries that stand before a page, the nearest first. The indexes of the others stay valid.
    mutating func delete(_ count: Int, before page: Int, size: Int, where isOld: (LogRow) -> Bool) {
        guard page > 1, page <= self.count else { return }
        let before = min((page - 1) * size, self.count)
        let places = order == .newest ? (self.count - before)..<self.count : 0..<before
        let old = places.filter { isOld(rows[sequence[$0]]) }
        let nearest = order == .newest ? old.prefix(count) : old.suffix(count)
        for place in nearest.sorted(by: >) { sequence.remove(at: place) }
    }

    /// Shows the pages in another order from now on.
    mutating func reorder(_ order: Scenario.Order) {
        guard order != self.order else { return }
        self.order = order
        sequence = sequence.sorted { precedes($0, $1) }
    }

    /// The rows of a page; nil when there is no such page. Numbers begin at 1, and page 1 always exists.
    func page(_ number: Int, size: Int) -> [LogRow]? {
        let (start, overflow) = (number - 1).multipliedReportingOverflow(by: size)
        guard !overflow, start >= 0, start < max(1, count) else { return nil }
        let range = start..<min(start + size, count)
        if order == .newest {
            return range.map { rows[sequence[count - 1 - $0]] }
        }
        return range.map { rows[sequence[$0]] }
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        switch order {
        case .newest, .oldest: (rows[left].at, left) < (rows[right].at, right)
        case .shuffled: hash(left) < hash(right)
        }
    }

    private func hash(_ index: Int) -> UInt64 {
        SeededGenerator.mix(seed ^ UInt64(index) &* 0x9e37_79b9_7f4a_7c15)
    }
}
