extension LogPage {
    /// The entries of a page in its order.
    ///
    /// A row of two bytes is a value of two hundred once it is read. So that no page takes many times the memory of its
    /// bytes, entries are kept as values only while they take little more than their text. The others are read from
    /// the page again whenever they are asked for.
    package struct Items: Sendable, Sequence, Equatable {
        /// The most unreadable entries that one page gives; of the others nothing but their number is known.
        static let unreadableLimit = 10_000

        /// The number of rows on the page, of whatever kind.
        package private(set) var count = 0
        /// The number of unreadable entries beyond the limit, which are left out.
        package private(set) var leftOut = 0
        private var kept: [Item] = []
        /// Where the entries that are not kept begin; nil when all are kept.
        private var rest: Rest?

        package init(_ items: [Item]) {
            (kept, count) = (items, items.count)
        }

        /// Reads the list at the scanner's position and leaves the scanner behind it.
        ///
        /// - Throws: when the structure of the list is lost.
        init(from scanner: inout JSONScanner, _ decoder: LogEntryDecoder) throws(JSONSyntaxError) {
            let start = scanner.position
            var (unreadable, weight) = (0, 0)
            try scanner.enter()
            while try scanner.nextElement() {
                let (row, before) = (scanner.mark, unreadable)
                let item = try decoder.item(from: &scanner, briefly: rest != nil)
                count += 1
                if case .unreadable = item { unreadable += 1 }
                leftOut = Swift.max(0, unreadable - Self.unreadableLimit)
                guard rest == nil else { continue }
                weight += item.weight
                if leftOut == 0, weight <= 2 * (scanner.position - start) {
                    kept.append(item)
                } else {
                    rest = Rest(at: row, in: scanner, decoder, unreadable: before)
                }
            }
        }

        package var isEmpty: Bool { count == 0 }

        package var first: Item? { self.first(where: { _ in true }) }

        package func makeIterator() -> Iterator {
            Iterator(kept: kept.makeIterator(), rest: rest, left: count - leftOut - kept.count)
        }

        package static func == (one: Items, other: Items) -> Bool {
            one.count == other.count && one.leftOut == other.leftOut && one.elementsEqual(other)
        }

        /// The part of a page that is read again each time. It was read before, so nothing in it loses the structure.
        fileprivate struct Rest: Sendable {
            private var scanner: JSONScanner
            private let decoder: LogEntryDecoder
            private var isAtRow = true
            /// How many unreadable entries stand before the row.
            private var unreadable: Int

            init(at row: JSONScanner.Mark, in scanner: JSONScanner, _ decoder: LogEntryDecoder, unreadable: Int) {
                self.scanner = scanner
                self.scanner.rewind(to: row)
                self.decoder = decoder
                self.unreadable = unreadable
            }

            mutating func next() -> Item? {
                while isAtRow,
                    let item = try? decoder.item(from: &scanner, briefly: unreadable >= Items.unreadableLimit)
                {
                    isAtRow = (try? scanner.nextElement()) ?? false
                    guard case .unreadable = item else { return item }
                    unreadable += 1
                    if unreadable <= Items.unreadableLimit { return item }
                }
                return nil
            }
        }

        package struct Iterator: IteratorProtocol {
            fileprivate var kept: IndexingIterator<[Item]>
            fileprivate var rest: Rest?
            /// How many entries of the rest are still to come. What stands behind the last one is not read again.
            fileprivate var left: Int

            package mutating func next() -> Item? {
                if let item = kept.next() { return item }
                guard left > 0 else { return nil }
                left -= 1
                return rest?.next()
            }
        }
    }
}

extension LogPage.Item {
    /// About how many bytes of memory it takes, its texts apart: these are in the page too, and short.
    fileprivate var weight: Int {
        let own = 512
        return switch self {
        case .entry(let entry): own + (entry.body?.count ?? 0)
        case .unreadable(let entry): own + entry.raw.count + entry.identity.count
        }
    }
}
