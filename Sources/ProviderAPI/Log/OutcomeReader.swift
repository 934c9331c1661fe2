/// Reads from the outcome fields of an entry how its delivery ended.
///
/// Source: docs/provider-api.md, "Assumed: the shape of a logs answer". true is success and false is failure; 200 to
/// 299 is success and any other number, 0 included, is failure; a word is looked up. A word or boolean beats a number.
struct OutcomeReader: Sendable {
    enum Verdict: Equatable {
        case judged(LogEntry.Outcome, statusCode: Int?)
        /// No field holds a usable value.
        case missing
        /// No list holds the word; `value` is its start.
        case unknownWord(field: String, value: String)
    }

    private enum Value {
        case boolean(Bool)
        case number(Double)
        case word(String)
    }

    /// Longest number in bytes; a longer one is no status.
    private static let numberLimit = 1_024

    private let words: [String: LogEntry.Outcome]

    init(_ fields: FieldNames) {
        var words: [String: LogEntry.Outcome] = [:]
        for word in fields.inProgressWords { words[word.lowercased()] = .inProgress }
        for word in fields.failedWords { words[word.lowercased()] = .failed }
        for word in fields.succeededWords { words[word.lowercased()] = .succeeded }
        self.words = words
    }

    /// The outcome by the first word or boolean, else by the first number.
    ///
    /// - Parameter candidates: the fields that are present, in order of preference.
    func verdict(_ candidates: [(field: String, token: ArraySlice<UInt8>)]) -> Verdict {
        var decision: (field: String, value: Value)?
        var number: Double?
        for candidate in candidates {
            guard let value = Self.value(candidate.token) else { continue }
            if case .number(let found) = value {
                number = number ?? found
            } else {
                decision = decision ?? (candidate.field, value)
            }
        }
        let statusCode = number.flatMap(Self.statusCode)
        switch decision {
        case (_, .boolean(let succeeded))?:
            return .judged(succeeded ? .succeeded : .failed, statusCode: statusCode)
        case (let field, .word(let word))?:
            guard let outcome = words[word.lowercased()] else {
                return .unknownWord(field: field, value: String(word.prefix(80)))
            }
            return .judged(outcome, statusCode: statusCode)
        case (_, .number)?, nil:
            guard let number else { return .missing }
            return .judged(number >= 200 && number <= 299 ? .succeeded : .failed, statusCode: statusCode)
        }
    }

    /// nil for null, an empty string, an object and an array. A string of digits is a number.
    private static func value(_ token: ArraySlice<UInt8>) -> Value? {
        guard let first = token.first else { return nil }
        switch first {
        case Byte.smallT: return .boolean(true)
        case Byte.smallF: return .boolean(false)
        case Byte.minus, Byte.zero...Byte.nine:
            guard token.count <= numberLimit else { return nil }
            return Double(String(decoding: token, as: UTF8.self)).map(Value.number)
        case Byte.quote:
            let word = JSONText.decode(token.dropFirst().dropLast().trimmingSpaces, limit: 100)
            if word.isEmpty { return nil }
            if word.utf8.allSatisfy(Byte.isDigit), let number = Double(word) { return .number(number) }
            return .word(word)
        default: return nil
        }
    }

    private static func statusCode(_ number: Double) -> Int? {
        abs(number) < 1e9 ? Int(exactly: number) : nil
    }
}
