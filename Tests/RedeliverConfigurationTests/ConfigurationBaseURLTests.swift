import ProviderAPI
import RedeliverConfiguration
import Testing

@Suite struct ConfigurationBaseURLTests {
    @Test(arguments: [
        ("https://eu.amani.ai", "https://eu.amani.ai"), ("https://eu.amani.ai/", "https://eu.amani.ai"),
        ("https://eu.amani.ai//", "https://eu.amani.ai"), ("https://h:8443/kyc/", "https://h:8443/kyc"),
        ("HTTPS://H", "https://h"), ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://localhost:8080", "http://localhost:8080"), ("http://LOCALHOST", "http://localhost"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"), ("http://127.255.3.4", "http://127.255.3.4"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ])
    func `an address loses its last slashes, and its scheme and host become lower case`(text: String, expected: String)
        throws
    {
        #expect(try ConfigurationSample(baseURL: "'\(text)'").read().provider.baseURL.description == expected)
    }

    @Test(arguments: [
        "http://eu.amani.ai", "http://10.0.0.1", "http://127.0.0.1.example.com", "http://127.1", "http://128.0.0.1",
        "http://localhost.example.com", "http://[::2]", "http://1270.0.0.1", "http://127.0.0.256", "http://127.0.0.+1",
        "http://127.0.0.-0",
    ])
    func `http leaves the machine only when it is allowed to`(text: String) {
        let problem = "http would send the token unprotected: use https, or set provider.allow_insecure_http: true"
        let isAddress = !text.contains("+")
        if isAddress {
            #expect(ConfigurationSample(baseURL: text).problems() == ["provider.base_url: \(problem)"])
            #expect(ConfigurationSample(baseURL: text, provider: ["allow_insecure_http: true"]).problems() == [])
        } else {
            #expect(ConfigurationSample(baseURL: text).problems().count == 1)
        }
    }

    @Test(arguments: [
        ("eu.amani.ai", "expected an absolute address such as https://eu.amani.ai"),
        ("/api", "expected an absolute address such as https://eu.amani.ai"),
        ("https://", "expected an absolute address such as https://eu.amani.ai"),
        ("https:///path", "expected an absolute address such as https://eu.amani.ai"),
        ("ftp://eu.amani.ai", "expected an absolute address such as https://eu.amani.ai"),
        ("https://eu amani.ai", "expected an absolute address such as https://eu.amani.ai"),
        ("https://münchen.example", "expected an absolute address such as https://eu.amani.ai"),
        ("https://eu.amani.ai/a b", "expected an absolute address such as https://eu.amani.ai"),
        ("https://eu%2Eamani.ai", "expected an absolute address such as https://eu.amani.ai"),
        ("https://bob:pw@eu.amani.ai", "must not contain a user or password; they belong to provider.auth"),
        ("https://bob@eu.amani.ai", "must not contain a user or password; they belong to provider.auth"),
        ("https://eu.amani.ai?x=1", "must not contain ? or #"),
        ("https://eu.amani.ai/#top", "must not contain ? or #"),
        ("https://eu.amani.ai:0", "its port is outside 1…65535"),
        ("https://eu.amani.ai:65536", "its port is outside 1…65535"),
    ])
    func `what is no such address says why`(text: String, problem: String) {
        #expect(ConfigurationSample(baseURL: "'\(text)'").problems() == ["provider.base_url: \(problem)"])
    }
}
