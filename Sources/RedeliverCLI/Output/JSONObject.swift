import DeliveryQueue

/// A JSON object, key by key as scripts read it. A time becomes Unix seconds; a value that is nil leaves its key out.
struct JSONObject: Encodable, ExpressibleByDictionaryLiteral {
    private let members: [(name: Name, value: (any Encodable)?)]

    init(dictionaryLiteral members: (String, (any Encodable)?)...) {
        self.members = members.map { (Name(stringValue: $0), $1) }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for case (let name, let value?) in members {
            let value: any Encodable = (value as? Timestamp)?.seconds ?? value
            try container.encode(value, forKey: name)
        }
    }
}

/// What a command prints for scripts as an object with stable keys.
protocol JSONReport: Encodable {
    /// All that is known; a key whose value is nil is left out.
    var json: JSONObject { get }
}

extension JSONReport {
    func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}
