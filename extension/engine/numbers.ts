/** Numbers that must not be mistaken for one another. */

/** An entry of the model's vocabulary. */
export type Token = number & { readonly __token: never };

/** A place in the sequence, from 0; also the index of its cell, since positions are always 0..n-1. */
export type Position = number & { readonly __position: never };
