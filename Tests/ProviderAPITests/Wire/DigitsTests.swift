import Testing

@testable import ProviderAPI

/// Swift's own readers of numbers take signs.
@Suite("Numbers of digits alone") struct DigitsTests {
    @Test(arguments: [("0", 0), ("9464", 9_464), ("0080", 80), ("65535", 65_535)])
    func `digits are read`(_ text: String, _ number: Int) {
        #expect(Int(digits: text) == number)
        #expect(Int(digits: text[...]) == number)
    }

    @Test(arguments: [
        "", "+1", "-1", "-0", " 1", "1 ", "1.0", "1e3", "0x1", "1_000", "\u{661}", "\u{FF11}", "1\u{301}",
        "99999999999999999999",
    ])
    func `any other text is no number`(_ text: String) {
        #expect(Int(digits: text) == nil)
    }

    @Test func `a number that does not fit is none`() {
        #expect(UInt8(digits: "255") == 255)
        #expect(UInt8(digits: "256") == nil)
    }
}
