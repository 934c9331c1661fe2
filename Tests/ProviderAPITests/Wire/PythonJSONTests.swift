import Testing

@testable import ProviderAPI

@Suite("Python's JSON")
struct PythonJSONTests {
    private func dumps(_ text: String) -> String? {
        PythonJSON.dumps(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `every body of the fixture is written as Python writes it`() throws {
        let vectors = try SignatureVector.all()
        #expect(vectors.count >= 300 && vectors.contains { $0.dumps == nil } && vectors.contains { $0.dumps == "NaN" })
        for vector in vectors {
            let written = PythonJSON.dumps(vector.bytes).map { String(decoding: $0, as: UTF8.self) }
            #expect(written == vector.dumps, "\(String(decoding: vector.bytes, as: UTF8.self))")
        }
    }

    @Test func `every number of the fixture is written as Python writes it`() throws {
        let floats = try SignatureVector.floats()
        #expect(floats.count >= 3_000)
        for float in floats {
            #expect(dumps(float.token) == float.repr, "\(float.token)")
        }
    }

    @Test(arguments: [
        ("1e-05", "1e-05"), ("0.0001", "0.0001"), ("1e15", "1000000000000000.0"), ("1e16", "1e+16"),
        ("1.5e300", "1.5e+300"), ("1E5", "100000.0"), ("1.0", "1.0"), ("12.50", "12.5"), ("5e-324", "5e-324"),
        ("-0.0", "-0.0"), ("-0e9", "-0.0"), ("-0", "0"), ("0", "0"), ("1e400", "Infinity"), ("-1e400", "-Infinity"),
        ("1e-400", "0.0"), ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("NaN", "NaN"), ("Infinity", "Infinity"), ("-Infinity", "-Infinity"),
        ("-12", "-12"), ("9007199254740993", "9007199254740993"), ("9007199254740993.0", "9007199254740992.0"),
    ]) func `numbers are printed as Python's int or float`(_ token: String, _ text: String) {
        #expect(dumps(token) == text)
    }

    @Test(arguments: [
        (#""é€𝄞""#, #""\u00e9\u20ac\ud834\udd1e""#), (#""\u00E9""#, #""\u00e9""#), (#""\/""#, #""/""#),
        (#""\u0041\u005c\u0022""#, #""A\\\"""#), (#""\u000a\b\f\r\t""#, #""\n\b\f\r\t""#),
        (#""\u0000\u001F\u007f""#, #""\u0000\u001f\u007f""#), ("\"\u{7F}\u{80}\"", #""\u007f\u0080""#),
        (#""\uD800\ud83d\ude00\uDC00""#, #""\ud800\ud83d\ude00\udc00""#), (#""""#, #""""#),
    ]) func `strings are ASCII with lower-case escapes`(_ token: String, _ text: String) {
        #expect(dumps(token) == text)
    }

    @Test(arguments: [
        (" { } ", "{}"), ("[\n]", "[]"), ("\t[1 ,2,[ ]]\r\n", "[1, 2, []]"), (#"{"b":1,"a":2}"#, #"{"b": 1, "a": 2}"#),
        (#"{"a":1,"b":2,"a":3}"#, #"{"a": 3, "b": 2}"#), (#"{"a":1,"\u0061":2}"#, #"{"a": 2}"#),
        (#"{"😀":1,"b":{"x":1,"x":[1,1]},"\ud83d\uDE00":2}"#, #"{"\ud83d\ude00": 2, "b": {"x": [1, 1]}}"#),
        (#"{"é":1,"e\u0301":2}"#, #"{"\u00e9": 1, "e\u0301": 2}"#),
        (#"{"a":{"a":1,"a":2},"a":{"a":3,"b":0,"a":4}}"#, #"{"a": {"a": 4, "b": 0}}"#),
        ("[true,false,null]", "[true, false, null]"),
    ]) func `separators are Python's and a repeated key keeps its place and takes its last value`(
        _ text: String, _ written: String
    ) {
        #expect(dumps(text) == written)
    }

    @Test(arguments: [
        "", " ", "\u{FEFF}{}", "{", "{}x", "[1,]", "{'a':1}", "nan", "-NaN", "[Infinity1]", "{NaN:1}", "-", "01", "1.",
        ".5",
        "+1",
        "\"\n\"",
        #""\x""#, #""\u12"#, "tru",
    ]) func `what is not JSON has no such form`(_ text: String) {
        #expect(dumps(text) == nil)
    }

    @Test func `nesting beyond the limit has no such form and does no harm`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(dumps(nested(512)) == nested(512))
        #expect(dumps(nested(513)) == nil)
        #expect(dumps(nested(200_000)) == nil)
    }

    /// Python writes the same text again when it reads what it wrote.
    @Test func `writing again changes nothing`() throws {
        for dumps in try SignatureVector.all().compactMap(\.dumps) {
            #expect(PythonJSON.dumps(Array(dumps.utf8)) == Array(dumps.utf8))
        }
    }

    @Test func `a hundred thousand repeated keys leave two members`() {
        let members = (0..<100_000).map { "\"\($0 % 2)\":\($0)" }.joined(separator: ",")
        #expect(dumps("{\(members)}") == #"{"0": 99998, "1": 99999}"#)
    }
}
