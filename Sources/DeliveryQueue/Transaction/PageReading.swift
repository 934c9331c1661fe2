/// What the entries of one page share while they are stored.
struct PageReading {
    /// The endpoint whose entries they are.
    let endpoint: EndpointFacts
    /// When the entries were read; earlier than now only for unreadable ones that are understood now.
    let read: Timestamp
    /// Whether it is the log of this endpoint that shows them, and not another one's.
    let isOwn: Bool
    /// Who may be named in an entry.
    let names: EndpointNames
    /// Event types whose metrics label this page has already asked for.
    var labelled: Set<String> = []
    /// What may still be kept of what cannot be read; nil before the first such entry.
    var room: UnreadableRoom?
    var hasLeftOut = false
    /// When the last of the entries that were taken was first read; nil in it: it is new; nil: none was taken.
    private(set) var found: Timestamp??
    var tooOld = TooOld()
    var summary = IngestSummary()
    /// The entries of other endpoints that the page has, by their ids.
    var others: [String: PageReading] = [:]
    /// How many entries were new that are another endpoint's, by its id.
    var foreign: [String: Int] = [:]
    /// How many failures were new that another endpoint keeps, by its id.
    var shared: [String: Int] = [:]

    init(_ queue: RuledTransaction, endpointID: String, read: Timestamp) throws {
        endpoint = try EndpointFacts.fetch(queue.session, id: endpointID)
        names = try EndpointNames.fetch(queue.session)
        self.read = read
        isOwn = true
    }

    /// For entries of another endpoint on the same page.
    init(_ queue: RuledTransaction, of endpointID: String, on page: PageReading) throws {
        endpoint = try EndpointFacts.fetch(queue.session, id: endpointID)
        names = page.names
        read = page.read
        isOwn = false
    }

    /// Notes when an entry of the page was first read; nil: it is new.
    mutating func note(found time: Timestamp?) {
        if found == nil { summary.beginsKnown = time != nil }
        found = .some(time)
    }
}
