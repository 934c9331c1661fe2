import ProviderAPI
import RedeliverConfiguration
import Testing

/// `provider.proxy_credentials_file` is read like every other file that holds a secret.
@Suite struct ProxyCredentialsTests {
    private func sample(_ file: String) -> ConfigurationSample {
        ConfigurationSample(provider: ["proxy: http://proxy.test:3128", "proxy_credentials_file: \(file)"])
    }

    @Test(arguments: ["anna:pass", "anna:pass\n", "anna:pa:ss\r\n\n", "anna:"])
    func `one line with user and password is taken without the line breaks at its end`(_ text: String) throws {
        let file = try TemporaryFile(text)

        let credentials = try sample(file.path).read().provider.path.proxy?.credentials

        #expect(credentials?.revealed == String(text.prefix { !$0.isNewline }))
    }

    @Test(arguments: ["", "\n", "anna", "anna:pass\nmore", "anna:" + String(repeating: "x", count: 2_000)])
    func `any other text is refused and not shown`(_ text: String) throws {
        let file = try TemporaryFile(text)

        #expect(
            sample(file.path).problems()
                == ["provider.proxy_credentials_file: the file must hold user:password in one line"])
    }

    @Test(arguments: [
        ("/none", "the file does not exist or cannot be read"),
        ("/", "the file cannot be read: it is a folder, not a file"),
        ("/dev/zero", "the file cannot be read: it is a device, not a file"),
    ]) func `a file that cannot be read is a fault, and what is no file is not read`(
        _ path: String, fault: String
    ) {
        #expect(sample(path).problems() == ["provider.proxy_credentials_file: \(fault)"])
    }
}
