import DeliverySimulation

/// Makes JSON by its grammar with the strings and numbers of ``Hostile``. Some of it is huge or very deep.
enum HostileJSON {
    /// One of so many inputs has a size that costs milliseconds.
    private static let rarity = 3_000

    /// A value of a few levels.
    static func value(_ random: inout SeededGenerator, depth: Int = 3) -> [UInt8] {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &random) {
        case 0: return string(&random)
        case 1: return Array(Hostile.pick(Hostile.numbers, &random).utf8)
        case 2: return Array(Hostile.pick(["null", "true", "false"], &random).utf8)
        case 3: return Array("\(Int.random(in: -1_000...2_000_000_000, using: &random))".utf8)
        case 4: return Hostile.chance(1, in: rarity, &random) ? enormous(&random) : string(&random)
        case 5: return list(Int.random(in: 0...4, using: &random), &random) { value(&$0, depth: depth - 1) }
        default:
            let count = Int.random(in: 0...4, using: &random)
            return object((0..<count).map { _ in (key(&random), value(&random, depth: depth - 1)) }, &random)
        }
    }

    /// A string token. Some of its characters are escaped, which must make no difference to its reader.
    static func string(_ random: inout SeededGenerator) -> [UInt8] {
        quoted(Hostile.text(&random), &random)
    }

    static func quoted(_ text: String, _ random: inout SeededGenerator) -> [UInt8] {
        var token = Array("\"".utf8)
        for scalar in text.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            if mustEscape || Hostile.chance(1, in: 12, &random) {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16)
                    token += Array("\\u".utf8) + Array((String(repeating: "0", count: 4 - digits.count) + digits).utf8)
                }
            } else {
                token += Array(String(scalar).utf8)
            }
        }
        return token + Array("\"".utf8)
    }

    static func object(_ members: [(key: String, value: [UInt8])], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = Array("{".utf8)
        for (index, member) in members.enumerated() {
            if index > 0 { bytes += Array(",".utf8) }
            bytes += blank(&random) + quoted(member.key, &random) + blank(&random) + Array(":".utf8) + blank(&random)
            bytes += member.value
        }
        return bytes + blank(&random) + Array("}".utf8)
    }

    static func list(
        _ count: Int, _ random: inout SeededGenerator, _ element: (inout SeededGenerator) -> [UInt8]
    ) -> [UInt8] {
        var bytes = Array("[".utf8)
        for index in 0..<count {
            if index > 0 { bytes += Array(",".utf8) }
            bytes += element(&random)
        }
        return bytes + blank(&random) + Array("]".utf8)
    }

    static func blank(_ random: inout SeededGenerator) -> [UInt8] {
        Hostile.pick([[], [], [], [0x20], [0x0A, 0x20, 0x20], [0x0D, 0x0A, 0x09]], &random)
    }

    private static func key(_ random: inout SeededGenerator) -> String {
        Hostile.chance(1, in: 2, &random)
            ? Hostile.pick(["a", "b", "id", "next", "body", "a"], &random)
            : Hostile.text(&random)
    }

    /// 10,000 levels, a string of a megabyte, 20,000 members, a number of 100,000 digits.
    private static func enormous(_ random: inout SeededGenerator) -> [UInt8] {
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            return Array(repeating: UInt8(ascii: "["), count: 10_000)
                + Array(repeating: UInt8(ascii: "]"), count: 10_000)
        case 1:
            return Array(String(repeating: #"{"a":"#, count: 10_000).utf8) + Array("1".utf8)
                + Array(repeating: UInt8(ascii: "}"), count: 10_000)
        case 2: return Array("\"".utf8) + Array(repeating: UInt8(ascii: "x"), count: 1 << 20) + Array("\"".utf8)
        case 3: return Array("[".utf8) + Array(String(repeating: #"{"id":1},"#, count: 20_000).utf8) + Array("1]".utf8)
        default: return Array(repeating: UInt8(ascii: "9"), count: 100_000)
        }
    }
}

/// Makes log pages. Some are as docs/provider-api.md describes them, most have something wrong.
enum HostilePage {
    static func make(_ random: inout SeededGenerator) -> [UInt8] {
        let entries = HostileJSON.list(Int.random(in: 0...4, using: &random), &random, entry)
        guard Hostile.chance(2, in: 3, &random) else { return entries }
        var members: [(String, [UInt8])] = [
            (Hostile.pick(["results", "logs", "data", "items", "other"], &random), entries)
        ]
        if Hostile.chance(1, in: 2, &random) {
            members.append(("next", Hostile.chance(1, in: 2, &random) ? link(&random) : HostileJSON.value(&random)))
        }
        if Hostile.chance(1, in: 6, &random) {
            members.append(("links", HostileJSON.object([("next", link(&random))], &random)))
        }
        if Hostile.chance(1, in: 6, &random) { members.append((Hostile.text(&random), HostileJSON.value(&random))) }
        members.shuffle(using: &random)
        return HostileJSON.object(members, &random)
    }

    private static func link(_ random: inout SeededGenerator) -> [UInt8] {
        HostileJSON.quoted(
            Hostile.pick(["?page=2", "/x", "https://api.test/x", "https://evil.test/x", ""], &random), &random)
    }

    static func entry(_ random: inout SeededGenerator) -> [UInt8] {
        if Hostile.chance(1, in: 12, &random) { return HostileJSON.value(&random) }
        var members: [(String, [UInt8])] = []
        for (names, values) in fields where !Hostile.chance(1, in: 10, &random) {
            let value: [UInt8] =
                Hostile.chance(2, in: 3, &random)
                ? Array(Hostile.pick(values, &random).utf8) : HostileJSON.value(&random)
            members.append((Hostile.pick(names, &random), value))
        }
        if Hostile.chance(1, in: 8, &random), let repeated = members.randomElement(using: &random) {
            members.append((repeated.0, HostileJSON.value(&random)))
        }
        members.shuffle(using: &random)
        return HostileJSON.object(members, &random)
    }

    private static let fields: [(names: [String], values: [String])] = [
        (["task_id", "id"], ["1", "\"a-1\"", "12345678901234567890", "null"]),
        (["event_type", "event"], ["\"document_upload\"", "\"x\""]),
        (["customer_id", "customer", "profile_id"], ["7", "\"c\"", "null", "-1"]),
        (["webhook_id", "webhook", "endpoint_id"], ["1", "null"]),
        (["body", "payload", "request_body"], [#"{"z": [1.0, 1e400, -0.0]}"#, "null", "\"text\"", "[]"]),
        (
            ["status", "state", "success"],
            ["\"failure\"", "\"success\"", "true", "false", "500", "\"Pending\"", "\"200\""]
        ),
        (["status_code", "response_status"], ["500", "200", "1e300", "\"404\"", "299.5"]),
        (
            ["created_at", "timestamp", "date_done", "updated_at"],
            ["\"2024-05-01T12:34:56.5+03:00\"", "1700000000.25", "1700000000000", "\"0000-00-00\"", "\"1700000000\""]
        ),
        (["error", "message", "traceback"], ["\"boom\"", "{\"a\": 1}"]),
    ]
}
