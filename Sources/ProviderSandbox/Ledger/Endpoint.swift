/// One registered webhook endpoint with its secret and its log.
struct Endpoint: Sendable {
    let id: String
    var url: String
    var enabledEvents: [String]
    /// The given JSON object of header names and strings.
    var customHeadersJSON = "{}"
    /// The given JSON object.
    var metadataJSON = "{}"
    let createdAt: Milliseconds
    var updatedAt: Milliseconds
    var secret: String
    var log: EventLog
    /// The planned outages of the receiver.
    var outages: [Scenario.Outage] = []
    /// The end of an outage that was started by hand; nil without one.
    var downUntil: Milliseconds?
    /// Webhooks that the receiver still accepts before the outage shows.
    var acceptsWhileDown = 0

    /// Whether the receiver is down at `now` in a run that began at `start`.
    func isDown(at now: Milliseconds, start: Milliseconds) -> Bool {
        if let downUntil, now < downUntil { return true }
        let seconds = Double(now - start) / 1000
        return outages.contains { $0.from <= seconds && seconds < $0.to }
    }

    /// The answer to a create or update call. It lacks the secret, which has an operation of its own.
    var json: String {
        """
        {"id":\(JSONText.quoted(id)),"url":\(JSONText.quoted(url)),"enabled_events":\(JSONText.array(enabledEvents)),\
        "custom_headers":\(customHeadersJSON),"metadata":\(metadataJSON),\
        "created_at":\(createdAt / 1000),"updated_at":\(updatedAt / 1000)}
        """
    }
}

/// The fields of a create or update call; nil for a field that the call leaves out.
struct EndpointFields: Sendable {
    var url: String?
    var enabledEvents: [String]?
    var customHeadersJSON: String?
    var metadataJSON: String?

    /// Reads the body of the call.
    ///
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
