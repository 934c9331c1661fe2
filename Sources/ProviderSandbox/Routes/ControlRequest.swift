/// Changes to a running sandbox, as `POST /_control` gives them; read as a whole before any of it is done.
struct ControlRequest: Sendable {
    struct Failures: Sendable {
        /// Nil spreads them over all endpoints.
        var endpointIndex: Int?
        var count = 1
        /// Nil takes one of the scenario's events for each.
        var event: String?
        /// How many further attempts of each fail.
        var times = 0
    }

    struct Outage: Sendable {
        /// Nil means every endpoint.
        var endpointIndex: Int?
        var isDown = true
        /// Nil lasts until it is stopped.
        var seconds: Double?
        /// How many webhooks the receiver answers before it is down: a receiver that comes back for a moment and falls again.
        var accepts = 0
    }

    struct ProviderAttempts: Sendable {
        /// Nil means every endpoint.
        var endpointIndex: Int?
        var count = 1
    }

    var failures: Failures?
    var outage: Outage?
    var providerAttempts: ProviderAttempts?
    var clearsFaults = false
    var expiresAccessTokens = false
    var expiresRefreshTokens = false
    var texts = ScenarioTexts()
}

extension ControlRequest {
    /// - Parameter endpointIndexes: the known endpoint ids; a request names an endpoint by its id or its index.
    /// - Throws: `JSONFault` for malformed JSON, `Unreadable` for an unknown name or a value of the wrong kind.
    init(body: [UInt8], endpointIndexes: [String: Int]) throws {
        for (name, value) in try JSONCut.members(of: body) {
            switch name {
            case "fail": failures = try Self.failures(Fields(value), endpointIndexes)
            case "outage": outage = try Self.outage(Fields(value), endpointIndexes)
            case "provider_attempt": providerAttempts = try Self.attempts(Fields(value), endpointIndexes)
            case "clear_faults": clearsFaults = try Fields.bool(name, value)
            case "expire_tokens": expiresAccessTokens = try Fields.bool(name, value)
            case "expire_refresh_tokens": expiresRefreshTokens = try Fields.bool(name, value)
            case "fault": texts.entries += try ScenarioTexts(members: ["fault": value]).entries
            case "set": texts.entries += try Self.settings(value)
            default: throw Unreadable("there is no control named \(name)")
            }
        }
    }

    private static func settings(_ value: [UInt8]) throws -> [(name: String, texts: [String])] {
        let entries = try ScenarioTexts(members: try JSONCut.members(of: value)).entries
        for entry in entries where !(ScenarioSetting.byName[entry.name]?.isLive ?? false) {
            throw Unreadable("\(entry.name) is not a setting that can change while the sandbox runs")
        }
        return entries
    }

    private static func failures(_ fields: Fields, _ known: [String: Int]) throws -> Failures {
        try fields.allow(["endpoint", "count", "event", "times"])
        return Failures(
            endpointIndex: try fields.endpoint(known),
            count: try fields.whole("count") ?? 1,
            event: try fields.text("event"),
            times: try fields.whole("times") ?? 0
        )
    }

    private static func outage(_ fields: Fields, _ known: [String: Int]) throws -> Outage {
        try fields.allow(["endpoint", "down", "seconds", "accepts"])
        return Outage(
            endpointIndex: try fields.endpoint(known),
            isDown: try fields.members["down"].map { try Fields.bool("down", $0) } ?? true,
            seconds: try fields.number("seconds"),
            accepts: try fields.whole("accepts") ?? 0
        )
    }

    private static func attempts(_ fields: Fields, _ known: [String: Int]) throws -> ProviderAttempts {
        try fields.allow(["endpoint", "count"])
        return ProviderAttempts(endpointIndex: try fields.endpoint(known), count: try fields.whole("count") ?? 1)
    }

    /// The members of one object with their kinds checked.
    private struct Fields {
        let members: [String: [UInt8]]

        init(_ value: [UInt8]) throws {
            members = try JSONCut.members(of: value)
        }

        func allow(_ names: [String]) throws {
            for name in members.keys where !names.contains(name) {
                throw Unreadable("there is no field named \(name) (known: \(names.joined(separator: ", ")))")
            }
        }

        func text(_ name: String) throws -> String? {
            guard let value = members[name] else { return nil }
            guard let text = JSONCut.text(of: value) else { throw Unreadable("\(name) must be a string") }
            return text
        }

        func number(_ name: String) throws -> Double? {
            guard let value = members[name] else { return nil }
            guard let number = Double(String(decoding: value, as: UTF8.self)), (0...1e9).contains(number) else {
                throw Unreadable("\(name) must be a number from 0")
            }
            return number
        }

        func whole(_ name: String) throws -> Int? {
            guard let number = try number(name) else { return nil }
            guard let whole = Int(exactly: number) else { throw Unreadable("\(name) must be a whole number") }
            return whole
        }

        func endpoint(_ known: [String: Int]) throws -> Int? {
            guard let value = members["endpoint"] else { return nil }
            let index = JSONCut.text(of: value).map { known[$0] } ?? Int(String(decoding: value, as: UTF8.self))
            guard let index, known.values.contains(index) else {
                throw Unreadable("there is no endpoint \(String(decoding: value, as: UTF8.self))")
            }
            return index
        }

        static func bool(_ name: String, _ value: [UInt8]) throws -> Bool {
            guard let bool = Bool(String(decoding: value, as: UTF8.self)) else {
                throw Unreadable("\(name) must be true or false")
            }
            return bool
        }
    }
}
