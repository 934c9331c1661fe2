/// Which page of a log a request asks for.
struct PageAddress: Sendable, Equatable {
    /// Counts from 1.
    var number: Int
    /// How many pages without a row stand before it, this one included; 0 for the page itself.
    var empty = 0

    /// The query of a URL that leads here.
    var query: String { empty == 0 ? "page=\(number)" : "page=\(number)&empty=\(empty)" }
}

extension Scenario {
    /// Where the link of a page leads; nil at the end of the log.
    ///
    /// - Parameter pages: how many the log has.
    func link(after address: PageAddress, of pages: Int) -> PageAddress? {
        if address.empty > 0 {
            // Endless ones count up: each has an address of its own.
            let left = emptyPages == .endless ? address.empty + 1 : address.empty - 1
            return PageAddress(number: address.number, empty: left)
        }
        if let loopPage, address.number >= loopPage { return PageAddress(number: address.number - 1) }
        guard address.number < pages else { return nil }
        switch emptyPages {
        case .some(let count): return PageAddress(number: address.number + 1, empty: count)
        case .endless: return PageAddress(number: address.number + 1, empty: 1)
        }
    }
}
