/**
 * SubBytes of AES (FIPS 197 §5.1.1) on 128 bytes at once, as the circuit of Boyar and Peralta ("A new combinational
 * logic minimization technique with applications to cryptology", https://eprint.iacr.org/2009/191), whose names the
 * variables bear. There is no table, so that the time tells nothing about the bytes.
 * @param planes see slices.ts
 */
export function subBytes(planes: usize): void {
  const x7 = v128.load(planes);
  const x6 = v128.load(planes, 16);
  const x5 = v128.load(planes, 32);
  const x4 = v128.load(planes, 48);
  const x3 = v128.load(planes, 64);
  const x2 = v128.load(planes, 80);
  const x1 = v128.load(planes, 96);
  const x0 = v128.load(planes, 112);

  // Into the field in which inversion is cheap.
  const y14 = xor(x3, x5);
  const y13 = xor(x0, x6);
  const y9 = xor(x0, x3);
  const y8 = xor(x0, x5);
  const t0 = xor(x1, x2);
  const y1 = xor(t0, x7);
  const y4 = xor(y1, x3);
  const y12 = xor(y13, y14);
  const y2 = xor(y1, x0);
  const y5 = xor(y1, x6);
  const y3 = xor(y5, y8);
  const t1 = xor(x4, y12);
  const y15 = xor(t1, x5);
  const y20 = xor(t1, x1);
  const y6 = xor(y15, x7);
  const y10 = xor(y15, t0);
  const y11 = xor(y20, y9);
  const y7 = xor(x7, y11);
  const y17 = xor(y10, y11);
  const y19 = xor(y10, y8);
  const y16 = xor(t0, y11);
  const y21 = xor(y13, y16);
  const y18 = xor(x0, y16);

  // Inversion.
  const t2 = and(y12, y15);
  const t4 = xor(and(y3, y6), t2);
  const t6 = xor(and(y4, x7), t2);
  const t7 = and(y13, y16);
  const t9 = xor(and(y5, y1), t7);
  const t11 = xor(and(y2, y7), t7);
  const t12 = and(y9, y11);
  const t14 = xor(and(y14, y17), t12);
  const t16 = xor(and(y8, y10), t12);
  const t21 = xor(xor(t4, t14), y20);
  const t22 = xor(xor(t6, t16), y19);
  const t23 = xor(xor(t9, t14), y21);
  const t24 = xor(xor(t11, t16), y18);
  const t25 = xor(t21, t22);
  const t26 = and(t21, t23);
  const t27 = xor(t24, t26);
  const t29 = xor(and(t25, t27), t22);
  const t33 = xor(and(xor(t22, t26), xor(t23, t24)), t24);
  const t36 = and(t24, xor(t27, t33));
  const t37 = xor(t36, xor(t23, t33));
  const t40 = xor(t25, and(t29, xor(t27, t36)));
  const t41 = xor(t40, t37);
  const t42 = xor(t29, t33);
  const t43 = xor(t29, t40);
  const t44 = xor(t33, t37);
  const t45 = xor(t42, t41);
  const z0 = and(t44, y15);
  const z1 = and(t37, y6);
  const z2 = and(t33, x7);
  const z3 = and(t43, y16);
  const z4 = and(t40, y1);
  const z5 = and(t29, y7);
  const z6 = and(t42, y11);
  const z7 = and(t45, y17);
  const z8 = and(t41, y10);
  const z9 = and(t44, y12);
  const z10 = and(t37, y3);
  const z11 = and(t33, y4);
  const z12 = and(t43, y13);
  const z13 = and(t40, y5);
  const z14 = and(t29, y2);
  const z15 = and(t42, y9);
  const z16 = and(t45, y14);
  const z17 = and(t41, y8);

  // Back, with the affine map.
  const t46 = xor(z15, z16);
  const t48 = xor(z5, z13);
  const t53 = xor(z0, z3);
  const t54 = xor(z6, z7);
  const t57 = xor(xor(z2, z12), t53);
  const t58 = xor(z4, t46);
  const t59 = xor(z3, t54);
  const t62 = xor(xor(z7, z8), t58);
  const t63 = xor(xor(z9, z10), t58);
  const t64 = xor(z4, t59);
  const t65 = xor(xor(z14, t57), t62);
  const t66 = xor(z1, t63);
  const s3 = xor(t53, t66);
  v128.store(planes, v128.not(xor(t48, xor(t46, t57))));
  v128.store(planes, v128.not(xor(xor(z12, t48), t62)), 16);
  v128.store(planes, xor(xor(z10, z11), t65), 32);
  v128.store(planes, xor(xor(z2, z5), t66), 48);
  v128.store(planes, s3, 64);
  v128.store(planes, v128.not(xor(xor(z16, z17), xor(t64, t65))), 80);
  v128.store(planes, v128.not(xor(t64, s3)), 96);
  v128.store(planes, xor(t59, t63), 112);
}

function xor(a: v128, b: v128): v128 {
  return v128.xor(a, b);
}

function and(a: v128, b: v128): v128 {
  return v128.and(a, b);
}
