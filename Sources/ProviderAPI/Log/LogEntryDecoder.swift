/// Reads one entry of a page into values, or says why it cannot be understood.
///
/// An entry that cannot be understood does not affect the rest of the page. Broken JSON is an error of the whole page.
struct LogEntryDecoder: Sendable {
    /// Largest body, in bytes, that is kept and sent again. It is ten thousand times the size of a usual event, and a
    /// batch of such bodies still fits into memory.
    static let bodyLimit = 4 << 20
    /// Longest error text that is kept, in characters.
    static let errorTextLimit = 500

    private let table: FieldTable
    private let outcomes: OutcomeReader

    init(_ fields: FieldNames) {
        table = FieldTable(fields)
        outcomes = OutcomeReader(fields)
    }

    /// Reads the value at the scanner's position and leaves the scanner behind it.
    ///
    /// - Throws: when the text is not JSON.
    func item(from scanner: inout JSONScanner) throws(JSONSyntaxError) -> LogPage.Item {
        guard scanner.peek() == Byte.openBrace else {
            let range = try scanner.value(depthLimit: .max)
            return unreadable(.notAnObject, "the entry is not a JSON object", scanner.bytes[range])
        }
        let mark = scanner.mark
        let start = scanner.position
        var values = [Range<Int>?](repeating: nil, count: table.names.count)
        do throws(JSONSyntaxError) {
            try scanner.enter()
            while let key = try scanner.nextKey() {
                table.note(try scanner.value(), forKey: key, in: scanner.bytes, values: &values)
            }
        } catch {
            guard error.problem == .tooDeep else { throw error }
            scanner.rewind(to: mark)
            let range = try scanner.value(depthLimit: .max)
            return unreadable(
                .tooDeep, "nested deeper than \(JSONScanner.depthLimit) levels", scanner.bytes[range])
        }
        return item(Fields(bytes: scanner.bytes, entry: start..<scanner.position, values: values))
    }

    /// The values found in one entry, by slot of the table.
    private struct Fields {
        let bytes: [UInt8]
        let entry: Range<Int>
        let values: [Range<Int>?]

        /// The token in `slot`; nil when it is absent or null.
        func token(_ slot: Int) -> ArraySlice<UInt8>? {
            guard let range = values[slot], bytes[range.lowerBound] != Byte.smallN else { return nil }
            return bytes[range]
        }

        /// The body: the first value that is not null, else a null that is there; nil when all fields are absent.
        func body(_ slots: Range<Int>) -> ArraySlice<UInt8>? {
            first(slots) ?? slots.lazy.compactMap { values[$0] }.first.map { bytes[$0] }
        }

        /// The first token among `slots` that is present and not null.
        func first(_ slots: Range<Int>) -> ArraySlice<UInt8>? {
            for slot in slots { if let token = token(slot) { return token } }
            return nil
        }
    }

    private func item(_ fields: Fields) -> LogPage.Item {
        let times = times(fields)
        func unreadable(_ reason: UnreadableEntry.Reason, _ detail: String) -> LogPage.Item {
            self.unreadable(reason, detail, fields.bytes[fields.entry], loggedAt: times.first)
        }
        guard let taskID = identifier(fields, table.taskID), !taskID.text.isEmpty else {
            return unreadable(.noTaskID, "no string or integer in any of: \(table.list(table.taskID))")
        }
        var entry = LogEntry(taskID: taskID, outcome: .failed)
        switch outcomes.verdict(candidates(fields)) {
        case .judged(let outcome, let statusCode): (entry.outcome, entry.statusCode) = (outcome, statusCode)
        case .missing:
            return unreadable(.noOutcome, "no boolean, number or word in any of: \(table.list(table.outcome))")
        case .unknownWord(let field, let value):
            return unreadable(.unknownOutcome, "\(field): the word '\(value)' is not in any list of outcome words")
        }
        if times.first == nil, let bad = times.firstBad {
            return unreadable(.badTime, "\(bad.field): '\(bad.value)' is not a readable time")
        }
        (entry.loggedAt, entry.changedAt) = (times.first, times.latest)
        entry.eventType = string(fields, table.eventType)
        entry.customerID = identifier(fields, table.customerID)
        entry.webhookID = identifier(fields, table.webhookID)
        entry.errorText = errorText(fields)
        guard !isCutWhenStored(entry) else {
            return unreadable(.badIdentifier, "U+0000 in an id or the event type cannot be stored")
        }
        if let body = fields.body(table.body), body.count <= Self.bodyLimit { entry.body = Array(body) }
        if entry.outcome == .failed, let fault = retryFault(entry, fields) {
            return unreadable(fault.reason, fault.detail)
        }
        return .entry(entry)
    }

    /// Whether an id or the event type holds U+0000. SQLite may read a text back only up to there
    /// (sqlite.org/nulinstr.html), and a retry would then send another id or event type.
    private func isCutWhenStored(_ entry: LogEntry) -> Bool {
        [entry.taskID.text, entry.eventType, entry.customerID?.text, entry.webhookID?.text]
            .contains { $0?.utf8.contains(0) ?? false }
    }

    /// Why a failure cannot be sent again; nil when it can.
    private func retryFault(_ entry: LogEntry, _ fields: Fields) -> (reason: UnreadableEntry.Reason, detail: String)? {
        if entry.body == nil {
            guard let body = fields.body(table.body) else {
                return (.noBody, "a failure with none of: \(table.list(table.body))")
            }
            return (.bodyTooLarge, "the body has \(body.count) bytes, the limit is \(Self.bodyLimit)")
        }
        if entry.eventType == nil {
            return (.noEventType, "a failure with no string in any of: \(table.list(table.eventType))")
        }
        // A value is there but strange. To send null or the endpoint's own id in its place would be a guess.
        for (id, slots) in [(entry.customerID, table.customerID), (entry.webhookID, table.webhookID)]
        where id == nil && fields.first(slots) != nil {
            return (.badIdentifier, "neither a string nor an integer in: \(table.list(slots))")
        }
        return nil
    }

    private func candidates(_ fields: Fields) -> [(field: String, token: ArraySlice<UInt8>)] {
        table.outcome.compactMap { slot in fields.token(slot).map { (table.names[slot], $0) } }
    }

    private func identifier(_ fields: Fields, _ slots: Range<Int>) -> JSONID? {
        for slot in slots {
            if let token = fields.token(slot), let id = JSONID(token: token) { return id }
        }
        return nil
    }

    private func string(_ fields: Fields, _ slots: Range<Int>) -> String? {
        for slot in slots {
            if let token = fields.token(slot), let text = JSONText.string(token), !text.isEmpty { return text }
        }
        return nil
    }

    /// The text of a string, or the JSON of any other value; nil when all fields are absent, null or empty.
    private func errorText(_ fields: Fields) -> String? {
        for slot in table.error {
            guard let token = fields.token(slot) else { continue }
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

    private func times(_ fields: Fields) -> Times {
        var times = Times()
        for slot in table.time {
            guard let token = fields.token(slot) else { continue }
            if let time = LogTime.milliseconds(token) {
                times.first = times.first ?? time
                times.latest = max(times.latest ?? time, time)
            } else if times.firstBad == nil {
                times.firstBad = (table.names[slot], String(decoding: token.prefix(60), as: UTF8.self))
            }
        }
        return times
    }

    private func unreadable(
        _ reason: UnreadableEntry.Reason, _ detail: String, _ raw: ArraySlice<UInt8>, loggedAt: Int64? = nil
    ) -> LogPage.Item {
        .unreadable(UnreadableEntry(reason: reason, detail: detail, raw: Array(raw), loggedAt: loggedAt))
    }
}
