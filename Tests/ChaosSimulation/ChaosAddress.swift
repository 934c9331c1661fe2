/// The address of a page of the log.
struct ChaosAddress: Sendable, Equatable {
    var page: Int
    /// How many pages without a row stand before it; this address shows the first of them.
    var empty = 0

    /// From this many on they have no end, and the number only makes the address a new one.
    static let endless = 1_000
    private static let unit = 1_000_000

    init(page: Int, empty: Int = 0) {
        self.page = page
        self.empty = empty
    }

    /// - Parameter number: the parameter `page`.
    init(number: Int) {
        (empty, page) = number.quotientAndRemainder(dividingBy: Self.unit)
    }

    /// The parameter `page`.
    var number: Int { empty * Self.unit + page }
    var isFirst: Bool { number == 0 }
    var isEndless: Bool { empty >= Self.endless }
}
