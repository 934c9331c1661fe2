/// Makes webhook bodies that are valid JSON and whose bytes change when somebody re-serialises them.
enum BodyMaker {
    /// Of so many bodies, one is a string, one a number and one an array instead of an object. null appears only once,
    /// because nobody could tell apart two events that are equal in everything a log shows.
    static let period = 40

    /// The raw text of the body of one delivery.
    static func body(
        index: Int, event: String, customerJSON: String, using generator: inout SeededGenerator
    ) -> [UInt8] {
        let text: String
        switch index % period {
        case 7: text = "\"plain text \(index): caf\\u00e9 caf\u{e9} \\/ \\ud83d\\ude00 \\ud800\""
        case 18: text = ["\(index).0", "1e400", "-0", "12345678901234567890123456789\(index)"][(index / period) % 4]
        case 27: text = "[ \(index), 1.0,[ ],{ }, \"\\u00e9\u{e9}\",\tnull ]"
        case 38: text = index < period ? "null" : "{\"number\":\(index)}"
        default: text = object(index: index, event: event, customerJSON: customerJSON, using: &generator)
        }
        return Array(text.utf8)
    }

    /// The example payload of an event. It is plain, like an example in documentation.
    static func example(of event: String) -> String {
        "{\"event\":\(JSONText.quoted(event)),\"data\":{\"id\":\"example\",\"created_at\":1735689600}}"
    }

    private static func object(
        index: Int, event: String, customerJSON: String, using generator: inout SeededGenerator
    ) -> String {
        var members = [
            ("event", JSONText.quoted(event)),
            ("number", "\(index)"),
            ("profile", "{\"id\":\(customerJSON),\"level\": \(Int.random(in: 0...9, using: &generator))}"),
        ]
        let wanted = Int.random(in: 2...8, using: &generator)
        members += oddities.shuffled(using: &generator).prefix(wanted)
        if generator.chance(0.3) {
            // The bytes hold both members; a parser into a dictionary keeps only one.
            members += [("note", "\"first\""), ("note", "\"second\"")]
        }
        members.append(("trace", JSONText.quoted(generator.hex(bytes: 12))))
        return joined(members, spacing: spacings.randomElement(using: &generator) ?? spacings[0])
    }

    private static func joined(_ members: [(String, String)], spacing: Spacing) -> String {
        let texts = members.map { name, value in
            "\"\(name)\"\(spacing.beforeColon):\(spacing.afterColon)\(value)"
        }
        return "{\(spacing.inside)\(texts.joined(separator: spacing.comma))\(spacing.inside)}"
    }

    /// Whitespace that a serialiser would write differently.
    private struct Spacing {
        let inside: String
        let beforeColon: String
        let afterColon: String
        let comma: String
    }

    private static let spacings = [
        Spacing(inside: "", beforeColon: "", afterColon: "", comma: ","),
        Spacing(inside: "", beforeColon: "", afterColon: " ", comma: ", "),
        Spacing(inside: "\n  ", beforeColon: "", afterColon: " ", comma: ",\n  "),
        Spacing(inside: " ", beforeColon: " ", afterColon: "\t", comma: " ,  "),
        Spacing(inside: "\r\n", beforeColon: "", afterColon: "  ", comma: " ,\r\n"),
    ]

    /// Members whose values change when they are parsed and written again.
    private static let oddities = [
        ("amount", "1.0"),
        ("rate", "0.10000000000000000555"),
        ("limit", "1e400"),
        ("tiny", "-1E-400"),
        ("zero", "-0"),
        ("power", "1E+2"),
        ("serial", "123456789012345678901234567890"),
        ("above_2_53", "9007199254740993"),
        ("name", "\"Ren\\u00e9e Ren\u{e9}e Rene\u{301}e\""),
        ("path", "\"a\\/b/c\""),
        ("broken", "\"\\ud83d\""),
        ("swapped", "\"\\ude00\\ud83d\""),
        ("emoji", "\"\u{1f600} \\ud83d\\ude00 \\uD83D\\uDE00\""),
        ("controls", "\"\\u0000\\u001F\\b\\f\\n\\r\\t\\\\ \\\"\""),
        ("separators", "\"\\u2028\u{2028}\u{7f}\""),
        ("html", "\"<a href=\\\"x\\\">&amp;\\u003c/a>\""),
        ("tricky", "\"\\\"body\\\": {\\\"task_id\\\": \\\"no\\\"}, [\""),
        ("body", "{\"task_id\":\"inner\",\"status\":\"success\",\"body\":null}"),
        ("status", "\"failure\""),
        ("empty", "[{},[],\"\",{\"\":null}]"),
        ("nested", "{\"a\":[{\"b\":[[1 , 2],[ 3.50 ]]},{\"c\":{\"d\":false}}]}"),
        ("k\\u00e9y", "true"),
        ("arabic", "\"\u{645}\u{631}\u{62d}\u{628}\u{627}\""),
    ]
}
