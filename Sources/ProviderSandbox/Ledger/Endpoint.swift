/// One registered webhook endpoint with its secret and its log.
struct Endpoint: Sendable {
    let id: String
    var url: String
    var enabledEvents: [String]
    /// A JSON object of header names and string values, as it was given.
    var customHeadersJSON = "{}"
    /// A JSON object, as it was given.
    var metadataJSON = "{}"
    let createdAt: Milliseconds
    var updatedAt: Milliseconds
    var secret: String
    var log: EventLog
    /// Seconds after the start during which the receiver answers 503.
    var outages: [Scenario.Outage] = []
    /// An outage that was started by hand lasts until then; nil when there is none.
    var downUntil: Milliseconds?
    /// Webhooks that it answers as if it were up, before the outage shows.
    var acceptsWhileDown = 0

    /// Whether the receiver answers 503 at this time of a run that began at `start`.
    func isDown(at now: Milliseconds, start: Milliseconds) -> Bool {
        if let downUntil, now < downUntil { return true }
        let seconds = Double(now - start) / 1000
        return outages.contains { $0.from <= seconds && seconds < $0.to }
    }

    /// What operations 2 and 5 answer. The secret is not in it: that has an operation of its own.
    var json: String {
        """
        {"id":\(JSONText.quoted(id)),"url":\(JSONText.quoted(url)),"enabled_events":\(JSONText.array(enabledEvents)),\
        "custom_headers":\(customHeadersJSON),"metadata":\(metadataJSON),\
        "created_at":\(createdAt / 1000),"updated_at":\(updatedAt / 1000)}
        """
    }
}

/// The fields of a create or update call; nil means that the call leaves a field out.
struct EndpointFields: Sendable {
    var url: String?
    var enabledEvents: [String]?
    var customHeadersJSON: String?
    var metadataJSON: String?

    /// - Throws: `JSONFault` for malformed JSON, `Unreadable` for a field of the wrong kind.
    init(body: [UInt8]) throws {
        let members = try JSONCut.members(of: body)
        if let value = members["url"] {
            guard let url = JSONCut.text(of: value), !url.isEmpty else { throw Unreadable("url must be a string") }
            self.url = url
        }
        if let value = members["enabled_events"] {
            let names = try JSONCut.elements(of: value)?.map { JSONCut.text(of: $0) }
            guard let names, !names.contains(nil) else { throw Unreadable("enabled_events must be a list of names") }
            enabledEvents = names.compactMap { $0 }
        }
        customHeadersJSON = try Self.object("custom_headers", in: members)
        metadataJSON = try Self.object("metadata", in: members)
        if let customHeadersJSON {
            let values = try JSONCut.members(of: Array(customHeadersJSON.utf8)).values
            guard values.allSatisfy({ JSONCut.text(of: $0) != nil }) else {
                throw Unreadable("custom_headers must hold strings")
            }
        }
    }

    private static func object(_ name: String, in members: [String: [UInt8]]) throws -> String? {
        guard let value = members[name] else { return nil }
        guard value.first == UInt8(ascii: "{") else { throw Unreadable("\(name) must be an object") }
        return String(decoding: value, as: UTF8.self)
    }
}
