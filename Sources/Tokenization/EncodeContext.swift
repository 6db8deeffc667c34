import CKernels

/// The scratch memory of one encoding thread: a cache of the tokens of pre-tokens, and a token buffer. Never shared, so without locks.
///
/// The cache (`token_cache.h`) has sets of four pre-tokens of up to 7 bytes and 3 tokens, sets of four of up to 15 bytes and 6 tokens, and a
/// ring of all others of up to 63 bytes; new entries evict old ones. Its memory is fixed, and its content never changes the result.
package struct EncodeContext: Sendable {
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
  /// The token buffer.
  var tokens = [UInt32](repeating: 0, count: Int(WEIR_TOKENS))
  /// The tokenizer that the cache belongs to.
  var owner: Tokenizer.Tables?

  /// - Parameter cacheBits: log₂ of the number of entries of 16 bytes; as many of 32 bytes and a quarter as many of 72 bytes come on top (35 MB).
  package init(cacheBits: Int = 19) { cache = Cache(bits: min(24, max(0, cacheBits))) }

  /// Clears the cache if it belongs to another tokenizer, and makes its memory unique.
  mutating func adopt(_ tables: Tokenizer.Tables) {
    if !isKnownUniquelyReferenced(&cache) {
      cache = Cache(bits: cache.bits)
    } else if owner !== tables, owner != nil {
      weir_token_cache_clear(cache.pointer)
    }
    owner = tables
  }
}
