import Testing

@testable import RedeliverConfiguration

@Suite struct ListenAddressTests {
    @Test(arguments: ["127.0.0.1:9464", "0.0.0.0:1", "[::1]:65535", "[::ffff:10.0.0.1]:80", "localhost:9464"])
    func `an address and a port are taken as they are`(_ text: String) throws {
        #expect(try #require(ListenAddress(text)).description == text)
    }

    @Test(arguments: [
        "", ":", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:+9464",
        "+1.0.0.1:9464", "127.0.0.-0:9464", "127.0.0.256:9464", "127.0.1:9464", "127.0.0.0.1:9464", "[]:9464",
        "[127.0.0.1]:9464", "[::g]:9464", "[::\u{FF11}]:9464", "::1:9464", "example.com:9464", "127.0.0.1:9464 ",
        "127.0.0.1:0x50", "127.0.0.1:\u{661}",
    ])
    func `any other text is no address`(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
