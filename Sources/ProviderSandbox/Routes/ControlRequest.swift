/// The changes that `POST /_control` makes to a running sandbox. All of them are read before the first is made.
struct ControlRequest: Sendable {
    struct Failures: Sendable {
        /// nil spreads them over all endpoints.
        var endpointIndex: Int?
        var count = 1
        /// nil takes the scenario's events in turn.
        var event: String?
        /// How many further attempts of each fail.
        var times = 0
    }

    struct Outage: Sendable {
        /// nil takes down every endpoint.
        var endpointIndex: Int?
        var isDown = true
        /// nil lasts until it is stopped.
        var seconds: Double?
        /// How many webhooks the receiver still accepts, like one that comes up for a moment and fails again.
        var accepts = 0
    }

    struct ProviderAttempts: Sendable {
        /// nil takes the deliveries of every endpoint.
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
    /// Reads the body of the request.
    ///
    /// - Parameter endpointIndexes: the known endpoint ids. A request names an endpoint by its id or its index.
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
            endpointIndex: try fields.endpoint(known), count: try fields.whole("count") ?? 1,
            event: try fields.text("event"), times: try fields.whole("times") ?? 0)
    }

    private static func outage(_ fields: Fields, _ known: [String: Int]) throws -> Outage {
        try fields.allow(["endpoint", "down", "seconds", "accepts"])
        return Outage(
            endpointIndex: try fields.endpoint(known),
            isDown: try fields.members["down"].map { try Fields.bool("down", $0) } ?? true,
            seconds: try fields.number("seconds"), accepts: try fields.whole("accepts") ?? 0)
    }

    private static func attempts(_ fields: Fields, _ known: [String: Int]) throws -> ProviderAttempts {
        try fields.allow(["endpoint", "count"])
        return ProviderAttempts(endpointIndex: try fields.endpoint(known), count: try fields.whole("count") ?? 1)
    }

    /// The members of one object, whose kinds are checked when they are read.
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
