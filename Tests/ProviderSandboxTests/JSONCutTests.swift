import Testing

@testable import ProviderSandbox

@Suite struct JSONCutTests {
    private func bytes(_ text: String) -> [UInt8] {
        Array(text.utf8)
    }

    @Test(arguments: [
        "1.0", "1e400", "-0", "123456789012345678901234567890", "null", "true", "\"\\u00e9\u{e9}\\/ \\ud800\"",
        "{\"a\" :\t1 ,\n \"a\": [ ] }", "[1 , 2,\r\n{}]", "\"} ] , \\\" : {\"",
    ])
    func `a value is cut out with exactly its bytes`(value: String) throws {
        let text = " {\"before\": [1, {\"body\": 2}] , \"body\" : \(value) ,\"after\":\"\\\"body\\\": 3\"}\n"
        let members = try JSONCut.members(of: bytes(text))
        #expect(members["body"] == bytes(value))
        #expect(members["after"] == bytes("\"\\\"body\\\": 3\""))
    }

    @Test func `every body the sandbox makes is valid JSON and survives the cut`() throws {
        var generator = SeededGenerator(seed: 5, stream: "test")
        for index in 0..<500 {
            let body = BodyMaker.body(index: index, event: "e", customerJSON: "\"c\"", using: &generator)
            #expect(try JSONCut.members(of: bytes("{\"body\":") + body + bytes("}"))["body"] == body)
        }
    }

    @Test(arguments: [
        "", "{", "{}x", "[]", "1", "{\"a\":01}", "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\u{1}\"}", "{\"a\":1.}", "{\"a\":+1}", "{\"a\":tru}", "{\"a\":[1,]}", "{\"a\":1,\"a\":2}",
        "{\"a\":\"",
    ])
    func `text that is not one JSON object with distinct names is refused`(text: String) {
        #expect(throws: JSONFault.self) { try JSONCut.members(of: bytes(text)) }
    }

    @Test func `nesting beyond the limit is refused instead of exhausting the stack`() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONFault.self) { try JSONCut.elements(of: bytes(deep)) }
    }

    @Test func `the text of a string resolves escapes and replaces a lone surrogate`() {
        #expect(JSONCut.text(of: bytes("\"a\\n\\/\\u00e9\\ud83d\\ude00\\\"\"")) == "a\n/\u{e9}\u{1f600}\"")
        #expect(JSONCut.text(of: bytes("\"\\ud83d\"")) == "\u{fffd}")
        #expect(JSONCut.text(of: bytes("12")) == nil)
    }

    @Test func `elements of an array keep their bytes`() throws {
        #expect(try JSONCut.elements(of: bytes("[ 1.0 ,\"a\",[ 2]]")) == [bytes("1.0"), bytes("\"a\""), bytes("[ 2]")])
        #expect(try JSONCut.elements(of: bytes("{}")) == nil)
    }
}
