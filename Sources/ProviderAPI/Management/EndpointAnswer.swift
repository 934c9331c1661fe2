/// An event type and its example in the provider's list of event types.
package struct EventExample: Sendable, Equatable {
    package let name: String
    /// The JSON value of the example, byte for byte; nil when the provider gives none.
    package let payload: [UInt8]?
}

/// A webhook endpoint as the answer to a create or update call describes it. A field is nil when the answer lacks it.
package struct WebhookEndpoint: Sendable, Equatable {
    package var id: String?
    package var url: String?
    package var enabledEvents: [String]?
}

/// Reads the answers to calls about endpoints. The vendor documents none of them; every assumption is here.
///
/// Names are tried in order. The first one that is present and of the right kind counts, in the answer itself and then
/// in an object inside it.
struct EndpointAnswer {
    /// Largest answer in bytes about one endpoint, secret or test.
    static let limit = 1 << 20
    /// Largest page of event types in bytes. Each event type comes with an example payload.
    static let eventsLimit = 16 << 20
    /// A list of event types with more pages than this is refused.
    static let eventPages = 100
    /// Longest secret in bytes, far above any key of an HMAC.
    static let secretLimit = 4_096

    private static let wrappers = ["data", "result", "results", "endpoint", "webhook_endpoint"]
    private static let secretNames = ["secret_token", "secret", "token", "secret_key", "webhook_secret"]
    private static let idNames = ["id", "webhook_id", "endpoint_id"]
    private static let eventLists = ["results", "data", "events", "items"]
    private static let eventNames = ["event", "name", "event_name", "event_type"]
    private static let exampleNames = ["example_payload", "payload", "example", "example_data", "sample", "body"]

    /// The answer without the whitespace around it.
    private let value: [UInt8]
    /// The answer, then the objects inside it that may hold what is wanted; empty when the answer is not an object.
    private let objects: [[String: [UInt8]]]

    /// Reads the body of an answer.
    ///
    /// - Throws: when it is not one JSON value.
    init(_ body: [UInt8]) throws(JSONSyntaxError) {
        var scanner = JSONScanner(body)
        value = Array(body[try scanner.value()])
        try scanner.end()
        let top = Self.object(of: value)
        objects = [top].compactMap { $0 } + Self.wrappers.compactMap { top?[$0].flatMap(Self.object(of:)) }
    }

    /// The secret: the answer itself when it is a JSON string, or a field of it; nil without one. A text with control
    /// characters does not count, because it would not survive a file or a terminal.
    var secret: Secret? {
        let bare = [JSONText.string(value[...])].compactMap { $0 }
        let named = objects.flatMap { Self.texts(Self.secretNames, in: $0) }
        return (bare + named).first(where: Self.isSecret).map { Secret($0) }
    }

    /// The endpoint that the answer describes. Its id is a string or an integer.
    var endpoint: WebhookEndpoint {
        let described = objects.first { object in Self.idNames.contains { object[$0] != nil } } ?? objects.first ?? [:]
        let id = Self.idNames.lazy.compactMap { described[$0].flatMap { JSONID(token: $0[...])?.text } }.first
        let events = described["enabled_events"].flatMap { try? JSONText.elements(of: $0) }
        return WebhookEndpoint(
            id: id.flatMap { $0.isEmpty ? nil : $0 },
            url: described["url"].flatMap { JSONText.string($0[...]) },
            enabledEvents: events?.compactMap { JSONText.string($0[...]) })
    }

    /// The task id under which the log shows a test event; nil when the answer names none.
    var taskID: String? {
        objects.lazy.compactMap { $0["task_id"].flatMap { JSONID(token: $0[...])?.text } }.first { !$0.isEmpty }
    }

    /// The list of event types, which is the answer or a field of it; nil without such a list. An entry is a name, or
    /// an object with a name and perhaps an example; an entry without a name is nil.
    var events: [EventExample?]? {
        let lists = [value] + objects.flatMap { object in Self.eventLists.compactMap { object[$0] } }
        let list = lists.lazy.compactMap { try? JSONText.elements(of: $0) }.first
        return list?.map(Self.event)
    }

    /// The link to the next page of event types; nil on the last page.
    var next: String? {
        objects.first?["next"].flatMap { JSONText.string($0[...]) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    // The names that are looked for, for messages.
    static var eventListNames: String { eventLists.joined(separator: ", ") }
    static var eventNameNames: String { eventNames.joined(separator: ", ") }
    static var secretFieldNames: String { secretNames.joined(separator: ", ") }
    static var idFieldNames: String { idNames.joined(separator: ", ") }

    private static func isSecret(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= secretLimit && !text.unicodeScalars.contains(where: \.isControl)
    }

    private static func event(_ element: [UInt8]) -> EventExample? {
        if let name = JSONText.string(element[...]) {
            return name.isEmpty ? nil : EventExample(name: name, payload: nil)
        }
        guard let object = object(of: element),
            let name = texts(eventNames, in: object).first(where: { !$0.isEmpty })
        else { return nil }
        let payload = exampleNames.lazy.compactMap { object[$0] }.first { $0 != Array("null".utf8) }
        return EventExample(name: name, payload: payload)
    }

    private static func texts(_ names: [String], in object: [String: [UInt8]]) -> [String] {
        names.compactMap { object[$0].flatMap { JSONText.string($0[...]) } }
    }

    /// The members of an object, the last one of a repeated key; nil for any other value.
    private static func object(of value: [UInt8]) -> [String: [UInt8]]? {
        guard let members = try? JSONText.members(of: value) else { return nil }
        return Dictionary(members.map { ($0.name, $0.value) }) { $1 }
    }
}
