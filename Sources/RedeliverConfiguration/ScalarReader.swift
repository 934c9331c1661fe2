/// Why a value is not allowed; completes `key: …`.
struct SettingProblem: Error {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    /// A value as a fault shows it: one line, at most 60 characters.
    static func shown(_ value: String) -> String {
        let line = String(String.UnicodeScalarView(value.unicodeScalars.map { $0.value < 0x20 ? " " : $0 }))
        return line.count > 60 ? "\(line.prefix(60))…" : line
    }
}

/// A checked value of the configuration.
enum SettingValue: Sendable, Equatable {
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case duration(Duration)
    case text(String)
    case texts([String])
    case durations([Duration])
    /// There is a mapping; its keys have values of their own.
    case section
    /// There is a list of this many mappings.
    case list(Int)
}

/// Turns the text of one scalar into a checked value, for the file, the environment and the defaults.
enum ScalarReader {
    /// - Throws: `SettingProblem` with what is allowed and what was found; a secret is not shown.
    static func read(_ text: String, as kind: Setting.Kind) throws(SettingProblem) -> SettingValue {
        switch kind {
        case .flag: .flag(try flag(text))
        case .integer(let range): .integer(try integer(text, in: range))
        case .number(let range): .number(try number(text, in: range))
        case .duration(let range): .duration(try inside(try DurationText.parse(text), range, text))
        case .word(let words): .text(try word(text, among: words))
        case .text(let rule): .text(try checked(text, by: rule))
        case .texts(let rule, _): .texts([try checked(text, by: rule)])
        case .durations, .section, .list: throw SettingProblem("expected \(kind.wanted), found a single value")
        }
    }

    /// One wait of a list: in the range, or zero for "at once".
    static func durationOrZero(_ text: String, in range: ClosedRange<Duration>) throws(SettingProblem) -> Duration {
        let duration = try DurationText.parse(text)
        return duration == .zero ? duration : try inside(duration, range, text)
    }

    /// One text, by itself or in a list.
    static func checked(_ text: String, by rule: TextRule) throws(SettingProblem) -> String {
        if text.isEmpty { throw SettingProblem("is empty, expected \(rule.wanted)") }
        if text.count > rule.maxLength {
            throw SettingProblem("is \(text.count) characters long, at most \(rule.maxLength) are allowed")
        }
        guard text.unicodeScalars.allSatisfy(rule.allows) else {
            let found = rule.isHidden ? "other characters" : "'\(SettingProblem.shown(text))'"
            throw SettingProblem("expected \(rule.wanted), found \(found)")
        }
        return text
    }

    private static func flag(_ text: String) throws(SettingProblem) -> Bool {
        switch text {
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: throw wrong(text, "true or false")
        }
    }

    private static func integer(_ text: String, in range: ClosedRange<Int>) throws(SettingProblem) -> Int {
        let isInteger = !text.contains(".") && DecimalText.parse(text) != nil
        guard isInteger else { throw wrong(text, Setting.Kind.integer(range).wanted) }
        // A number too large for an Int is outside every range.
        guard let number = Int(text), range.contains(number) else { throw outside(text, Setting.Kind.integer(range)) }
        return number
    }

    private static func number(_ text: String, in range: ClosedRange<Double>) throws(SettingProblem) -> Double {
        guard let number = DecimalText.parse(text) else { throw wrong(text, Setting.Kind.number(range).wanted) }
        guard range.contains(number) else { throw outside(text, Setting.Kind.number(range)) }
        return number
    }

    private static func inside(
        _ duration: Duration, _ range: ClosedRange<Duration>, _ text: String
    ) throws(SettingProblem) -> Duration {
        guard range.contains(duration) else { throw outside(text, .duration(range)) }
        return duration
    }

    private static func word(_ text: String, among words: [String]) throws(SettingProblem) -> String {
        guard words.contains(text) else { throw wrong(text, words.joined(separator: " or ")) }
        return text
    }

    private static func wrong(_ text: String, _ wanted: String) -> SettingProblem {
        SettingProblem("expected \(wanted), found '\(SettingProblem.shown(text))'")
    }

    private static func outside(_ text: String, _ kind: Setting.Kind) -> SettingProblem {
        SettingProblem("\(SettingProblem.shown(text)) is outside \(kind.rangeText)")
    }
}

extension Setting.Kind {
    /// Completes "expected …".
    var wanted: String {
        switch self {
        case .flag: "true or false"
        case .integer: "a whole number, \(rangeText)"
        case .number: "a number, \(rangeText)"
        case .duration: "a duration, \(rangeText)"
        case .word(let words): words.joined(separator: " or ")
        case .text(let rule): rule.wanted
        case .texts(let rule, _): "\(rule.wanted) or a list of them"
        case .durations: "a list of durations such as [1m, 5m]"
        case .section: "a mapping of keys to values"
        case .list: "a list of mappings, each beginning with -"
        }
    }

    /// What is allowed, for example `1…256`; empty where the kind has no range.
    var rangeText: String {
        switch self {
        case .integer(let range): "\(range.lowerBound)…\(range.upperBound)"
        case .number(let range): "\(Self.short(range.lowerBound))…\(Self.short(range.upperBound))"
        case .duration(let range): Self.text(range)
        case .durations(let range, let count):
            "\(count.lowerBound)…\(count.upperBound) waits, each 0s or \(Self.text(range))"
        case .text(let rule): "1…\(rule.maxLength) characters"
        case .texts(let rule, let count):
            "\(count.lowerBound)…\(count.upperBound) names of 1…\(rule.maxLength) characters"
        case .list(_, let count): "\(count.lowerBound)…\(count.upperBound)"
        case .flag, .word, .section: ""
        }
    }

    private static func text(_ range: ClosedRange<Duration>) -> String {
        "\(DurationText.format(range.lowerBound))…\(DurationText.format(range.upperBound))"
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() ? "\(Int(number))" : "\(number)"
    }
}
