package import ProviderAPI

/// Addresses in tests are literals. One that is no address ends the test run.
extension BaseAddress: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) {
        guard let address = try? BaseAddress(text) else { preconditionFailure("'\(text)' is not a base address") }
        self = address
    }
}
