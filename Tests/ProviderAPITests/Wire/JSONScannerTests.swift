import TestSupport
import Testing

@testable import ProviderAPI

/// Scans the whole text as one value, or gives the fault.
private func scan(_ bytes: [UInt8]) throws(JSONSyntaxError) -> Range<Int> {
    var scanner = JSONScanner(bytes)
    let range = try scanner.value()
    try scanner.end()
    return range
}

@Suite("JSON scanner")
struct JSONScannerTests {
    @Test(arguments: JSONCases.accepted) func `valid JSON is accepted and cut whole`(_ text: String) throws {
        let bytes = Array(text.utf8)
        let range = try scan(bytes)
        let blank: [UInt8] = [0x20, 0x0A, 0x0D, 0x09]
        #expect(bytes[..<range.lowerBound].allSatisfy(blank.contains))
        #expect(bytes[range.upperBound...].allSatisfy(blank.contains))
    }

    @Test(arguments: JSONCases.refused) func `text that is not JSON is refused`(_ text: String) {
        #expect(throws: JSONSyntaxError.self) { try scan(Array(text.utf8)) }
    }

    @Test(arguments: JSONCases.refusedBytes) func `bytes that are not UTF-8 are refused`(_ bytes: [UInt8]) {
        #expect(throws: JSONSyntaxError.self) { try scan(bytes) }
    }

    @Test func `the tables are as large as they claim`() {
        #expect(JSONCases.accepted.count >= 60)
        #expect(JSONCases.refused.count + JSONCases.refusedBytes.count >= 100)
    }

    @Test func `a fault names the byte`() {
        #expect(throws: JSONSyntaxError(problem: .unexpectedByte, offset: 4)) { try scan(Array("[1, x]".utf8)) }
        #expect(throws: JSONSyntaxError(problem: .trailingText, offset: 3)) { try scan(Array("[] x".utf8)) }
        #expect(throws: JSONSyntaxError(problem: .unexpectedEnd, offset: 2)) { try scan(Array("[1".utf8)) }
    }

    @Test func `nesting is accepted up to the limit and refused beyond it`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array(repeating: Byte.openBracket, count: depth) + Array(repeating: Byte.closeBracket, count: depth)
        }
        #expect(try scan(nested(512)) == 0..<1024)
        #expect(throws: JSONSyntaxError(problem: .tooDeep, offset: 512)) { try scan(nested(513)) }
        #expect(throws: JSONSyntaxError.self) { try scan(Array(repeating: Byte.openBracket, count: 1_000_000)) }
        var scanner = JSONScanner(nested(1_000_000) + [Byte.comma])
        let (range, fault) = try scanner.anyValue()
        #expect(range.count == 2_000_000 && fault?.problem == .tooDeep)
    }

    @Test func `every truncation of a page is refused`() throws {
        let sample = Array(JSONCases.sample.utf8)
        #expect(try scan(sample) == sample.indices)
        let decoder = LogPageDecoder(fields: .standard)
        for length in 0..<sample.count {
            #expect(throws: LogPageDecoder.Fault.self) { try decoder.page(Array(sample[..<length])) }
        }
    }

    @Test func `random bytes never crash the scanner or the decoder`() {
        var random = SeededNumbers(seed: 20_260_101)
        let alphabet = Array(#"{}[]",:\u0123456789abcdefntrls-+.eE \#u{E9}"#.utf8)
        let decoder = LogPageDecoder(fields: .standard)
        for round in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                round % 2 == 0
                    ? UInt8.random(in: 0...255, using: &random) : alphabet.randomElement(using: &random) ?? 0
            }
            _ = try? scan(bytes)
            _ = try? decoder.page(bytes)
            _ = JSONText.decode(bytes[...])
            _ = LogTime.milliseconds(bytes[...])
            _ = LinkHeader.next(in: [String(decoding: bytes, as: UTF8.self)])
        }
    }

    /// Mutates a good page. Whatever still decodes must give back bodies and raw entries that are parts of the input,
    /// and a scanned value must leave prefix and suffix that reassemble it.
    @Test func `what is cut out of mutated pages equals the bytes of the input`() {
        var random = SeededNumbers(seed: 7)
        let sample = Array(JSONCases.sample.utf8)
        let decoder = LogPageDecoder(fields: .standard)
        var decoded = 0
        for _ in 0..<5_000 {
            var bytes = sample
            for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes, &random) }
            guard let page = try? decoder.page(bytes) else { continue }
            decoded += 1
            for item in page.items {
                switch item {
                case .entry(let entry): if let body = entry.body { #expect(bytes.firstRange(of: body) != nil) }
                case .unreadable(let entry): #expect(bytes.firstRange(of: entry.raw) != nil)
                }
            }
            var scanner = JSONScanner(bytes)
            if let range = try? scanner.value() {
                #expect(Array(bytes[..<range.lowerBound]) + bytes[range] + bytes[range.upperBound...] == bytes)
            }
        }
        #expect(decoded > 500)
    }

    private func mutate(_ bytes: inout [UInt8], _ random: inout SeededNumbers) {
        let index = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(UInt8.random(in: 0x20...0x7E, using: &random), at: index)
        default: bytes.swapAt(index, Int.random(in: bytes.indices, using: &random))
        }
    }
}

@Suite("JSON text")
struct JSONTextTests {
    @Test(arguments: [
        (#""plain""#, "plain"), (#""\u0062ody""#, "body"), (#""\u00e9 é""#, "é é"),
        (#""\/\\\"\b\f\n\r\t""#, "/\\\"\u{8}\u{C}\n\r\t"),
        (#""\ud834\udd1e""#, "𝄞"), (#""\ud834""#, "\u{FFFD}"), (#""\udd1e\ud834x""#, "\u{FFFD}\u{FFFD}x"),
        (#""\ud834\u0041""#, "\u{FFFD}A"), (#""\u0000""#, "\u{0}"), (#""é€𝄞\n""#, "é€𝄞\n"), (#""""#, ""),
    ]) func `strings are decoded`(_ token: String, _ text: String) {
        #expect(JSONText.string(Array(token.utf8)[...]) == text)
    }

    @Test(arguments: ["", "a", "é\u{0}\n\"\\/\u{1F}", "𝄞\u{7F}\u{2028}"]) func `quoting is undone by decoding`(
        _ text: String
    ) throws {
        let token = JSONText.quoted(text)
        #expect(try scan(token) == token.indices)
        #expect(JSONText.string(token[...]) == text)
    }

    @Test func `a member is found by its decoded key and the last one wins`() {
        let object = Array(#"{"task_id": 1, "\u0074ask_id": "two", "other": {"task_id": 3}}"#.utf8)
        #expect(JSONText.member("task_id", of: object).map(Array.init) == Array(#""two""#.utf8))
        #expect(JSONText.member("missing", of: object) == nil)
        #expect(JSONText.member("task_id", of: Array("[1]".utf8)) == nil)
        #expect(JSONText.member("task_id", of: Array(#"{"task_id": 1} x"#.utf8)) == nil)
    }
}
