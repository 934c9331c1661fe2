import DeliveryQueue
import ProviderAPI

/// A log that cannot be paged through: reading on would never end.
struct PagingFault: Error, CustomStringConvertible {
    enum Kind {
        /// `next` leads back to a page of the same scan.
        case circle
        /// One page after the other shows nothing, or the same rows.
        case standstill
        /// More than a page of entries was deleted while the log was read.
        case moved
    }

    let endpoint: String
    let kind: Kind

    var description: String {
        switch kind {
        case .circle:
            "the next page is one that was read already (log of endpoint \(endpoint)); all pages read are stored, and the"
                + " rest is read from the first page again"
        case .standstill:
            "\(Paging.limit) pages in a row show nothing new (log of endpoint \(endpoint)); all pages read are stored, and"
                + " the rest is tried again later"
        case .moved:
            "more than a page of entries was deleted while they were read (log of endpoint \(endpoint)); all pages read are"
                + " stored, and the rest is read from the first page again"
        }
    }
}

/// Notices that paging leads nowhere: pages without rows, or with the same rows, one after the other.
struct Paging {
    /// So many such pages in a row are one too many.
    static let limit = 6

    private var last = PageRows([])
    private var inRow = 0

    /// - Returns: false when reading on is of no use.
    mutating func goesOn(after rows: PageRows) -> Bool {
        inRow = rows.times.isEmpty || rows == last ? inRow + 1 : 0
        last = rows
        return inRow < Self.limit
    }
}

/// What paging needs to know of a page's rows.
struct PageRows: Equatable {
    private(set) var times: [RowTimes] = []
    /// What tells the first and the last row from others.
    private var first: String?
    private var last: String?

    /// Goes through the rows once, because each is decoded whenever it is asked for.
    init(_ items: some Sequence<LogPage.Item>) {
        for item in items {
            times.append(item.times)
            last = item.name
            first = first ?? last
        }
    }
}

extension LogPage.Item {
    fileprivate var times: RowTimes {
        switch self {
        case .entry(let entry):
            RowTimes(
                logged: entry.loggedAt.map(Timestamp.init(milliseconds:)),
                changed: entry.changedAt.map(Timestamp.init(milliseconds:)))
        case .unreadable(let entry): RowTimes(logged: entry.loggedAt.map(Timestamp.init(milliseconds:)))
        }
    }

    /// What tells the row from others of its page.
    fileprivate var name: String {
        switch self {
        case .entry(let entry): "\(entry.taskID.text) \(entry.changedAt ?? 0)"
        case .unreadable(let entry): String(decoding: entry.identity, as: UTF8.self)
        }
    }
}
