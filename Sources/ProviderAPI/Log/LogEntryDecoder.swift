/// Reads one entry of a page into values, or says why it cannot be understood.
///
/// An entry that cannot be understood does not affect the rest of the page, whether it lacks a field or is not JSON.
struct LogEntryDecoder: Sendable {
    /// Largest body, in bytes, that is kept and sent again. It is ten thousand times the size of a usual event, and a
    /// batch of such bodies still fits into memory.
    static let bodyLimit = 4 << 20
    /// How much is kept, in bytes, of an entry that cannot be understood. What is cut is never
    /// read again.
    static let rawLimit = 4 << 20
    /// How much is kept, in bytes, of an entry whose id or event type is too long. It shows what the entry is.
    static let cutLength = 4_096
    /// Longest error text that is kept, in characters.
    static let errorTextLimit = 500

    private let table: FieldTable
    private let outcomes: OutcomeReader

    init(_ fields: FieldNames) {
        table = FieldTable(fields)
        outcomes = OutcomeReader(fields)
    }

    /// Reads the row at the scanner's position and leaves the scanner behind it.
    ///
    /// - Parameter briefly: an unreadable entry has its reason and nothing else.
    /// - Throws: when the row's end cannot be found.
    func item(from scanner: inout JSONScanner, briefly: Bool) throws(JSONSyntaxError) -> LogPage.Item {
        if briefly, scanner.peek() != Byte.openBrace {
            _ = try scanner.anyValue()
            return Self.noObject
        }
        return item(try LogRow(from: &scanner, table), briefly: briefly)
    }

    /// A row that is no object, briefly. Made once: a page may have thirty million of them.
    private static let noObject = LogPage.Item.unreadable(UnreadableEntry(reason: .notAnObject, detail: "", raw: []))

    private func item(_ row: LogRow, briefly: Bool) -> LogPage.Item {
        let times = times(row)
        func unreadable(_ reason: UnreadableEntry.Reason, _ detail: @autoclosure () -> String) -> LogPage.Item {
            guard !briefly else { return .unreadable(UnreadableEntry(reason: reason, detail: "", raw: [])) }
            let raw = row.bytes[row.range].prefix(reason == .tooLong ? Self.cutLength : Self.rawLimit)
            let taskID = identifier(row, table.taskID)?.text ?? ""
            return .unreadable(
                UnreadableEntry(
                    reason: reason, detail: detail(), raw: Array(raw), length: row.range.count,
                    taskID: taskID.isEmpty ? nil : taskID, loggedAt: times.first))
        }
        guard row.isObject else { return unreadable(.notAnObject, "the entry is not a JSON object") }
        if let damage = row.damage {
            let isTooDeep = damage.fault.problem == .tooDeep
            return unreadable(isTooDeep ? .tooDeep : .badJSON, row.detail(of: damage))
        }
        if let long = tooLong(row) {
            return unreadable(
                .tooLong, "\(table.names[long.slot]): \(long.length) bytes, the limit is \(JSONID.limit)")
        }
        guard let taskID = identifier(row, table.taskID), !taskID.text.isEmpty else {
            return unreadable(
                .noTaskID, "no string or integer in any of: \(table.list(table.taskID)); \(row.inventory)")
        }
        var entry = LogEntry(taskID: taskID, outcome: .failed)
        switch outcomes.verdict(candidates(row)) {
        case .judged(let outcome, let statusCode): (entry.outcome, entry.statusCode) = (outcome, statusCode)
        case .missing where row.hasNull(table.outcome):
            entry.outcome = errorText(row) == nil ? .unsaid : .failed
        case .missing:
            return unreadable(
                .noOutcome, "no boolean, number or word in any of: \(table.list(table.outcome)); \(row.inventory)")
        case .unknownWord(let field, let value):
            return unreadable(.unknownOutcome, "\(field): the word '\(value)' is not in any list of outcome words")
        }
        if times.first == nil, let bad = times.firstBad {
            return unreadable(.badTime, "\(bad.field): '\(bad.value)' is not a readable time")
        }
        (entry.loggedAt, entry.changedAt) = (times.first, times.latest)
        entry.eventType = string(row, table.eventType)
        entry.customerID = identifier(row, table.customerID)
        entry.webhookID = identifier(row, table.webhookID)
        entry.errorText = errorText(row)
        guard !isCutWhenStored(entry) else {
            return unreadable(.badIdentifier, "U+0000 in an id or the event type cannot be stored")
        }
        if let body = row.body(table.body), body.count <= Self.bodyLimit { entry.body = Array(body) }
        if entry.outcome == .failed || entry.outcome == .unsaid, let fault = retryFault(entry, row) {
            return unreadable(fault.reason, fault.detail)
        }
        return .entry(entry)
    }

    /// The id or event type whose field counts, and whose value is above the limit; nil when there is none.
    private func tooLong(_ row: LogRow) -> (slot: Int, length: Int)? {
        func find(_ slots: Range<Int>, isUsable: (ArraySlice<UInt8>) -> Bool) -> (slot: Int, length: Int)? {
            // Most rows have no long value, so that nothing is decoded twice.
            guard slots.contains(where: { row.token($0).map { $0.count > JSONID.limit } ?? false }) else { return nil }
            for slot in slots {
                guard let token = row.token(slot) else { continue }
                let isScalar = token.first != Byte.openBrace && token.first != Byte.openBracket
                if isScalar, token.count > JSONID.limit { return (slot, token.count) }
                if isUsable(token) { return nil }
            }
            return nil
        }
        for slots in [table.taskID, table.customerID, table.webhookID] {
            if let long = find(slots, isUsable: { JSONID(token: $0) != nil }) { return long }
        }
        return find(table.eventType) { $0.first == Byte.quote && $0.count > 2 }
    }

    /// Whether an id or the event type holds U+0000. SQLite may read a text back only up to there
    /// (sqlite.org/nulinstr.html), and a retry would then send another id or event type.
    private func isCutWhenStored(_ entry: LogEntry) -> Bool {
        [entry.taskID.text, entry.eventType, entry.customerID?.text, entry.webhookID?.text]
            .contains { $0?.utf8.contains(0) ?? false }
    }

    /// Why a failure cannot be sent again; nil when it can.
    private func retryFault(_ entry: LogEntry, _ row: LogRow) -> (reason: UnreadableEntry.Reason, detail: String)? {
        if entry.body == nil {
            guard let body = row.body(table.body) else {
                return (.noBody, "a failure with none of: \(table.list(table.body)); \(row.inventory)")
            }
            return (.bodyTooLarge, "the body has \(body.count) bytes, the limit is \(Self.bodyLimit)")
        }
        if entry.eventType == nil {
            return (
                .noEventType, "a failure with no string in any of: \(table.list(table.eventType)); \(row.inventory)"
            )
        }
        // A value is there but strange. To send null or the endpoint's own id in its place would be a guess.
        for (id, slots) in [(entry.customerID, table.customerID), (entry.webhookID, table.webhookID)]
        where id == nil && row.first(slots) != nil {
            return (.badIdentifier, "neither a string nor an integer in: \(table.list(slots))")
        }
        return nil
    }

    private func candidates(_ row: LogRow) -> [(field: String, token: ArraySlice<UInt8>)] {
        table.outcome.compactMap { slot in row.token(slot).map { (table.names[slot], $0) } }
    }

    private func identifier(_ row: LogRow, _ slots: Range<Int>) -> JSONID? {
        for slot in slots {
            if let token = row.token(slot), let id = JSONID(token: token) { return id }
        }
        return nil
    }

    private func string(_ row: LogRow, _ slots: Range<Int>) -> String? {
        for slot in slots {
            if let token = row.token(slot), let text = JSONText.string(token), !text.isEmpty { return text }
        }
        return nil
    }

    /// The text of a string, or the JSON of any other value; nil when all fields are absent, null or empty.
    private func errorText(_ row: LogRow) -> String? {
        for slot in table.error {
            guard let token = row.token(slot) else { continue }
            let text =
                JSONText.string(token, limit: Self.errorTextLimit * 4)
                ?? String(decoding: token.prefix(Self.errorTextLimit * 4 + 4), as: UTF8.self)
            if !text.isEmpty { return String(text.prefix(Self.errorTextLimit)) }
        }
        return nil
    }

    private struct Times {
        var first: Int64?
        var latest: Int64?
        var firstBad: (field: String, value: String)?
    }

    private func times(_ row: LogRow) -> Times {
        var times = Times()
        for slot in table.time {
            guard let token = row.token(slot) else { continue }
            if let time = LogTime.milliseconds(token, in: table.timeZone) {
                times.first = times.first ?? time
                times.latest = max(times.latest ?? time, time)
            } else if times.firstBad == nil {
                times.firstBad = (table.names[slot], String(decoding: token.prefix(60), as: UTF8.self))
            }
        }
        return times
    }
}
