import CKernels

/// What one thread keeps between texts: the tokens of pre-tokens it has seen, and room for tokens on their way. Never shared, hence no locks.
///
/// The cache (`token_cache.h`) has sets of four pre-tokens of up to 7 bytes and 3 tokens, sets of four of up to 15 bytes and 6 tokens, and a ring of
/// all others of up to 63 bytes; a new one takes the place of an old one. Its memory is fixed, and what it holds never changes the result.
package struct EncodeContext: Sendable {
  /// The kernel's cache.
  final class Cache: Sendable {
    nonisolated(unsafe) let pointer: OpaquePointer
    let bits: Int

    init(bits: Int) {
      self.bits = bits
      pointer = weir_token_cache_create(Int32(bits - 2), Int32(bits - 1), Int32(bits - 4))!
    }

    deinit { weir_token_cache_destroy(pointer) }
  }

  var cache: Cache
  /// Tokens on their way.
  var tokens = [UInt32](repeating: 0, count: Int(WEIR_TOKENS))
  /// The tokenizer whose tokens the cache holds.
  var owner: Tokenizer.Tables?

  /// Creates an empty context.
  /// - Parameter cacheBits: log₂ of the number of short pre-tokens, of 16 bytes each; as many of 32 bytes, a quarter as many of 72: 35 MB.
  package init(cacheBits: Int = 19) { cache = Cache(bits: min(24, max(0, cacheBits))) }

  /// Empties the cache where it belongs to another tokenizer, and parts from the copy that it may be shared with.
  mutating func adopt(_ tables: Tokenizer.Tables) {
    if !isKnownUniquelyReferenced(&cache) {
      cache = Cache(bits: cache.bits)
    } else if owner !== tables, owner != nil {
      weir_token_cache_clear(cache.pointer)
    }
    owner = tables
  }
}
