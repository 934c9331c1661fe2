/// An event type as operation 1 lists it.
package struct EventExample: Sendable, Equatable {
    package let name: String
    /// The example's JSON value, byte for byte; nil when the provider gives none.
    package let payload: [UInt8]?

    package init(name: String, payload: [UInt8]?) {
        self.name = name
        self.payload = payload
    }
}

/// A webhook endpoint as far as the answer of operation 2 or 5 describes it; nil, here as in each field: it does not say.
package struct WebhookEndpoint: Sendable, Equatable {
    package let id: String?
    package let url: String?
    package let enabledEvents: [String]?

    package init(id: String? = nil, url: String? = nil, enabledEvents: [String]? = nil) {
        self.id = id
        self.url = url
        self.enabledEvents = enabledEvents
    }
}

/// Reads the answers of the endpoint operations.
///
/// The vendor documents none of these answers, so every assumption about them stands here: names are tried in order, the
/// first that is present and of the right kind wins, in the answer itself and then in an object inside it.
struct EndpointAnswer {
    /// Largest answer in bytes that describes one endpoint, secret or test.
    static let limit = 1 << 20
    /// Largest page of event types in bytes: each comes with an example payload.
    static let eventsLimit = 16 << 20
    /// A list of event types that goes on for longer than this is refused.
    static let eventPages = 100
    /// Longest secret in bytes; far more than any key of an HMAC needs.
    static let secretLimit = 4_096

    private static let wrappers = ["data", "result", "results", "endpoint", "webhook_endpoint"]
    private static let secretNames = ["secret_token", "secret", "token", "secret_key", "webhook_secret"]
    private static let idNames = ["id", "webhook_id", "endpoint_id"]
    private static let eventLists = ["results", "data", "events", "items"]
    private static let eventNames = ["event", "name", "event_name", "event_type"]
    private static let exampleNames = ["example_payload", "payload", "example", "example_data", "sample", "body"]

    /// Without whitespace around it.
    private let value: [UInt8]
    /// The answer and the objects inside it that may stand for it; empty for anything but an object.
    private let objects: [[String: [UInt8]]]

    /// - Throws: when the answer is not one JSON value.
    init(_ body: [UInt8]) throws(JSONSyntaxError) {
        var scanner = JSONScanner(body)
        value = Array(body[try scanner.value()])
        try scanner.end()
        let top = Self.object(of: value)
        objects = [top].compactMap { $0 } + Self.wrappers.compactMap { top?[$0].flatMap(Self.object(of:)) }
    }

    /// The answer is either the secret itself, as a JSON string, or an object that holds it. A text with control
    /// characters is no secret: it would not survive a file or a terminal.
    var secret: Secret? {
        let bare = [JSONText.string(value[...])].compactMap { $0 }
        let named = objects.flatMap { Self.texts(Self.secretNames, in: $0) }
        return (bare + named).first(where: Self.isSecret).map { Secret($0) }
    }

    /// An id is a string or an integer.
    var endpoint: WebhookEndpoint {
        let described = objects.first { object in Self.idNames.contains { object[$0] != nil } } ?? objects.first ?? [:]
        let id = Self.idNames.lazy.compactMap { described[$0].flatMap { JSONID(token: $0[...])?.text } }.first
        let events = described["enabled_events"].flatMap { try? JSONText.elements(of: $0) }
        return WebhookEndpoint(
            id: id.flatMap { $0.isEmpty ? nil : $0 },
            url: described["url"].flatMap { JSONText.string($0[...]) },
            enabledEvents: events?.compactMap { JSONText.string($0[...]) })
    }

    /// The task id under which the log shows a test event.
    var taskID: String? {
        objects.lazy.compactMap { $0["task_id"].flatMap { JSONID(token: $0[...])?.text } }.first { !$0.isEmpty }
    }

    /// The entries of a list of event types, which is the answer or stands inside it: names, or objects with a name and
    /// perhaps an example. nil when there is no such list; an entry without a name is nil.
    var events: [EventExample?]? {
        let lists = [value] + objects.flatMap { object in Self.eventLists.compactMap { object[$0] } }
        let list = lists.lazy.compactMap { try? JSONText.elements(of: $0) }.first
        return list?.map(Self.event)
    }

    /// Where a list of event types goes on; nil at its end.
    var next: String? {
        objects.first?["next"].flatMap { JSONText.string($0[...]) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    static var eventListNames: String { eventLists.joined(separator: ", ") }
    static var eventNameNames: String { eventNames.joined(separator: ", ") }
    static var secretFieldNames: String { secretNames.joined(separator: ", ") }
    static var idFieldNames: String { idNames.joined(separator: ", ") }

    private static func isSecret(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= secretLimit
            && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
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

    /// nil for anything but an object; of a repeated key the last one counts.
    private static func object(of value: [UInt8]) -> [String: [UInt8]]? {
        guard let members = try? JSONText.members(of: value) else { return nil }
        return Dictionary(members.map { ($0.name, $0.value) }) { $1 }
    }
}
