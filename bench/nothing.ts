import 'reflect-metadata';
import { Body, Controller, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

/* A NestJS + Fastify service with one route that reads a JSON body and does nothing: what HTTP alone can carry here. */

class Nothing {
  answer(_body: unknown): { readonly done: true } {
    return { done: true };
  }
}
const answer = Object.getOwnPropertyDescriptor(Nothing.prototype, 'answer') as PropertyDescriptor;
Body()(Nothing.prototype, 'answer', 0);
Post('nothing')(Nothing.prototype, 'answer', answer);
Reflect.defineMetadata('design:paramtypes', [Object], Nothing.prototype, 'answer');
Controller()(Nothing);

class NothingModule {}
Module({ controllers: [Nothing] })(NothingModule);

const app = await NestFactory.create<NestFastifyApplication>(NothingModule, new FastifyAdapter(), { logger: false });
process.once('SIGTERM', () => void app.close());
await app.listen(Number(process.env.PORT), '127.0.0.1');
