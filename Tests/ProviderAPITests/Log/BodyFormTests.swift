import Testing

@testable import ProviderAPI

@Suite struct BodyFormTests {
    @Test(
        arguments: [
            (#"{"a": "it's None"}"#, nil), ("null", nil), ("7", nil), (#""{\"a\": null}""#, nil), (#""7""#, nil),
            (#""""#, .text), (#""hello""#, .text), (#""{\"a\": ""#, .text), (#" "<xml/>" "#, .text),
            (#""{'a': 1, 'b': None}""#, .python), (#""[True]""#, .python), (#""('a', 1)""#, .python),
        ] as [(String, BodyForm?)])
    func `a string that is not JSON is odd, and more so when it looks like Python`(body: String, form: BodyForm?) {
        #expect(BodyForm.oddness(of: Array(body.utf8)) == form)
    }
}
