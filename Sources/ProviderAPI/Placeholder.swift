package enum ProviderAPIPlaceholder {}
