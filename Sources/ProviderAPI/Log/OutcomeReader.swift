/// Judges how a delivery ended from the outcome fields of an entry.
///
/// provider-api.md, Assumed: a boolean says it; 200 to 299 is success and any other number, also 0, failure; a word
/// is looked up. An entry with a word and a status code is judged by the word.
struct OutcomeReader: Sendable {
    enum Verdict: Equatable {
        case judged(LogOutcome, statusCode: Int?)
        /// None of the fields is present with a usable value.
        case missing
        /// `value` is the word, shortened.
        case unknownWord(field: String, value: String)
    }

    private enum Value {
        case boolean(Bool)
        case number(Double)
        case word(String)
    }

    private let words: [String: LogOutcome]

    init(_ fields: FieldNames) {
        var words: [String: LogOutcome] = [:]
        for word in fields.inProgressWords { words[word.lowercased()] = .inProgress }
        for word in fields.failedWords { words[word.lowercased()] = .failed }
        for word in fields.succeededWords { words[word.lowercased()] = .succeeded }
        self.words = words
    }

    /// `candidates` are the fields present, in order of preference: the first word or boolean decides, else the
    /// first number.
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

    /// nil for null, an empty string, an object and an array. A string of digits counts as a number.
    private static func value(_ token: ArraySlice<UInt8>) -> Value? {
        guard let first = token.first else { return nil }
        switch first {
        case Byte.smallT: return .boolean(true)
        case Byte.smallF: return .boolean(false)
        case Byte.minus, Byte.zero...Byte.nine:
            return Double(String(decoding: token, as: UTF8.self)).map(Value.number)
        case Byte.quote:
            var content = token.dropFirst().dropLast()
            while content.first == 0x20 { content = content.dropFirst() }
            while content.last == 0x20 { content = content.dropLast() }
            let word = JSONText.decode(content, limit: 100)
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
