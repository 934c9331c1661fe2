import ProviderAPI

/// What a person has to correct in `provider.base_url`. Never shows it, because a wrong one may contain a password.
extension AddressFault {
    var problem: String {
        switch self {
        case .notAbsolute: "expected an absolute address such as https://eu.amani.ai"
        case .holdsUser: "must not contain a user or password; they belong to provider.auth"
        case .holdsQueryOrFragment: "must not contain ? or #"
        case .badPort: "its port is outside 1…65535"
        }
    }
}
